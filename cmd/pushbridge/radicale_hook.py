"""Tells pushbridge of every change in Radicale, so that phones hear of it at once.

For Radicale 3.2 and newer. Written by "pushbridge notify --radicale-hook" into
a directory from which Python imports, such as
/usr/lib/python3/dist-packages/pushbridge_hook.py, and named in Radicale's
configuration:

    [hook]
    type = pushbridge_hook
    pushbridge_socket = /run/pushbridge/notify.sock

Radicale's own user needs to be in the group that the worker's configuration
gives the socket to: notify = "unixgram:/run/pushbridge/notify.sock?group=radicale"

It is called while Radicale holds its lock. It waits for nobody: if the worker
is not there or is busy, the change is found a little later without it.
"""

import json
import socket

from radicale.hook import BaseHook
from radicale.log import logger

DEFAULT_SOCKET = "/run/pushbridge/notify.sock"

# What Radicale has to know of its own section's additional key.
PLUGIN_CONFIG_SCHEMA = {"hook": {
    "pushbridge_socket": {"value": DEFAULT_SOCKET, "type": str}}}


class Hook(BaseHook):
    def __init__(self, configuration):
        super().__init__(configuration.copy(PLUGIN_CONFIG_SCHEMA))
        self._path = self.configuration.get("hook", "pushbridge_socket") or DEFAULT_SOCKET

    def notify(self, notification_item):
        # "user/collection", without a slash at either end; empty for what is
        # no collection of anybody's.
        point = notification_item.point
        if not point:
            return
        try:
            notice = json.dumps({"path": "/" + point.strip("/") + "/"})
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
                s.setblocking(False)
                s.sendto(notice.encode("utf-8"), self._path)
        except (OSError, UnicodeError) as e:
            logger.debug("pushbridge was not told of a change: %s", e)
