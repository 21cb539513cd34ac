import logging

logger = logging.getLogger("radicale")
