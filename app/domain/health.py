"""Live pool health, as the API and the pages show it."""

from msgspec import Struct


class SlotHealth(Struct, frozen=True):
    """A slot of a worker and what runs in it; all None when it is free."""

    task: str | None = None
    function: str | None = None
    elapsed: float | None = None
    usual_p50: float | None = None
    abandoned: bool = False


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
