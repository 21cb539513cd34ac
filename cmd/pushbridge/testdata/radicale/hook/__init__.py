from enum import Enum


class BaseHook:
    def __init__(self, configuration):
        self.configuration = configuration

    def notify(self, notification_item):
        raise NotImplementedError


class HookNotificationItemTypes(Enum):
    CPATCH = "cpatch"
    UPSERT = "upsert"
    DELETE = "delete"


class HookNotificationItem:
    def __init__(self, notification_item_type, path, content=None, uid=None, new_content=None, old_content=None):
        self.type = notification_item_type.value
        parts = [p for p in path.split("/") if p]
        self.point = "/".join(parts[:2]) if len(parts) > 1 else ""
        self.uid = uid
        self.new_content = new_content
        self.old_content = old_content
