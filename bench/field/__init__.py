"""Other task queues of the field, on a Redis of their own that syncs its log once a second.

Their packages are no part of what Pooldeck needs, and `redis-server` is a program of the system:
`missing` says what is not there, and then there is nothing to compare with. Each queue runs the
same no-op in two worker processes, as its documentation starts them, and keeps no results.
"""

import importlib.util
import shutil
from typing import Final

QUEUES: Final = {"taskiq": "taskiq on Redis", "dramatiq": "Dramatiq on Redis"}
_NAMES: Final = QUEUES | {"celery": "Celery on Redis"}
_PACKAGES: Final = {
    "taskiq": ("taskiq", "taskiq_redis"),
    "dramatiq": ("dramatiq", "redis"),
    "celery": ("celery", "redis"),
}
_SERVER: Final = "redis-server"


def missing(queue: str) -> str | None:
    """Return what a queue lacks here, in words; None if it can run."""
    lacking = [name for name in _PACKAGES[queue] if importlib.util.find_spec(name) is None]
    if shutil.which(_SERVER) is None:
        lacking.append(_SERVER)
    return f"{_NAMES[queue]} is not measured: {', '.join(lacking)} missing" if lacking else None
