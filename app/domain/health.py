"""Live pool health, as the API and the pages show it."""

from msgspec import Struct

from app.domain.controls import PoolControl


class SlotHealth(Struct, frozen=True):
    """A slot of a worker and what runs in it; all None when it is free.

    An abandoned thread is no slot any more; it is listed behind them until it ends.
    """

    task: str | None = None
    function: str | None = None
    elapsed: float | None = None
    usual_p50: float | None = None
    abandoned: bool = False
    timeout: float | None = None  # seconds that it may run
    cancel_requested: bool = False  # it was asked to end itself


class SwitchRates(Struct, frozen=True):
    """Context switches per second of a worker process."""

    voluntary: float
    involuntary: float


class WorkerHealth(Struct, frozen=True):
    """One worker process; measured figures are None until they were sampled."""

    id: str
    pid: int | None
    state: str  # starting, idle, busy, spare, stopping
    started_at: int | None  # microseconds since the epoch
    tasks_done: int
    slots: tuple[SlotHealth, ...]
    rss_bytes: int | None = None
    cpu_percent: float | None = None
    ctx_switches_per_s: SwitchRates | None = None


class PoolHealth(Struct, frozen=True):
    """A pool at this moment."""

    name: str
    kind: str
    size: int
    state: str  # running, paused, draining, broken, stopped
    reason: str | None  # why it is broken, in words, with the traceback
    busy: int
    queued: int
    oldest_wait: float | None
    incidents: int
    workers: tuple[WorkerHealth, ...]
    spare: int = 0  # workers that are ready to take a dead one's place
    notice: str | None = None  # what needs attention, in words, a line for each
    controls: PoolControl | None = None  # what was set by hand, if anything was
