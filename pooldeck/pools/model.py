"""What a pool is made of, and the states that it and its workers can be in."""

from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from pooldeck.access import Access
from pooldeck.commands import Command
from pooldeck.kinds import KINDS, PoolKind
from pooldeck.pools.native_threads import threads_per_task
from pooldeck.protocol import Limits
from pooldeck.tracing import Tracing


class CodeSpec(Struct, frozen=True):
    """What workers load: the modules of functions, and declared commands."""

    modules: tuple[str, ...] = ()
    commands: tuple[Command, ...] = ()


class PoolSpec(Struct, frozen=True):
    """What a pool is made of. `size` counts slots; times are in seconds."""

    name: str
    kind: PoolKind
    size: int
    modules: tuple[str, ...]
    initializer: str | None = None
    limits: Limits = Limits()
    boot_seconds: float = 60.0
    folder: Path | None = None  # for the workers' crash and output files
    spare: int = 0  # ready workers beside those of the size; process pools only
    max_tasks_per_worker: int = 0  # after so many a worker is replaced; 0: never
    max_memory_bytes: int = 0  # over it a worker is replaced, over 1.5 times it killed; 0: never
    asked_seconds: float = 0.5  # between a call's deadline and the end of its worker or slot
    start_seconds: float = 10.0  # for a worker to report the start of a call that it was handed
    leave_seconds: float = 2.0  # for a worker that is sent away to end by itself
    restores_environment: bool = True  # after each task, in processes
    probes: bool = False  # whether its workers say which calls need the GIL
    commands: tuple[Command, ...] = ()
    shared: Access | None = None  # how its workers reach shared state
    tracing: Tracing | None = None  # where the spans of its tasks go
    worker_name: str | None = None  # what the ids of its workers begin with; None: its own name
    native_threads: int | None = 0  # that libraries may start for a call; 0: any, None: a fair part

    @property
    def workers(self) -> int:
        return KINDS[self.kind].workers(self.size)

    @property
    def threads_per_task(self) -> int:
        """Return how many threads native libraries may start for a call, 0 for any number."""
        return threads_per_task(self.kind, self.size, self.native_threads)


class PoolState(StrEnum):
    """Whether a pool runs tasks."""

    RUNNING = "running"
    PAUSED = "paused"  # hands nothing out; what runs goes on
    DRAINING = "draining"  # as paused, and stopped when nothing runs any more
    BROKEN = "broken"  # it has no worker, since none can start
    STOPPED = "stopped"  # has no workers


class WorkerState(StrEnum):
    """What a worker is doing."""

    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    SPARE = "spare"  # ready, and without a slot until another worker is gone
    STOPPING = "stopping"  # takes no more calls
