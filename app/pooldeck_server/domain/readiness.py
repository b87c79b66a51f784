"""Whether the server can do its work, in one word."""

from enum import StrEnum


class Readiness(StrEnum):
    """What `/readyz` says."""

    STARTING = "starting"  # no worker has got ready yet
    READY = "ready"
    BROKEN = "broken"  # no pool can run anything, since no worker can start
    STORAGE_UNAVAILABLE = "storage_unavailable"  # the database takes no writes, or is gone
    DRAINING = "draining"  # the server was told to end, or to take nothing new
