"""The live picture: what browsers are sent of the server at one moment."""

from msgspec import Struct

from pooldeck_server.domain.notices import Notice
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.domain.tasks.states import State


class EndsWindow(Struct, frozen=True):
    """What ended in the last `seconds`."""

    seconds: int
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    lost: int = 0


class Frame(Struct, frozen=True):
    """The live picture at one moment; one object serves every browser that looks."""

    seq: int
    at: int  # microseconds since the epoch
    counts: dict[State, int]  # of all tasks kept
    window: EndsWindow
    throughput: float  # tasks ended per second, over the last ten seconds
    oldest_wait: float | None  # seconds that the oldest queued task has waited
    pools: tuple[PoolHealth, ...]
    changed: tuple[str, ...] | None  # ids of tasks that changed; None: too many to name
    incidents: int = 0  # of the last 24 hours
    notices: tuple[Notice, ...] = ()  # what needs attention beside the pools
