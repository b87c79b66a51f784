"""What happened, told only after it is stored: hints for whoever looks, never the truth itself."""

from msgspec import Struct

from pooldeck_server.domain.notices import Notice
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.domain.tasks.states import State


class TaskChanged(Struct, frozen=True, gc=False):
    """A task moved to another state, and the move is stored."""

    seq: int
    id: str
    function: str
    pool: str
    before: State | None  # None: it is new
    state: State
    wait_seconds: float | None = None  # known once it started
    run_seconds: float | None = None  # known once it ended
    finished_at: int | None = None  # microseconds since the epoch, known once it ended


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
