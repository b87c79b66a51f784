"""What a pool is made of: its spec, its workers, the calls in their hands, and who listens."""

from enum import StrEnum
from pathlib import Path
from typing import Final, Literal, Protocol

from msgspec import Struct

from pooldeck.functions import FunctionSpec
from pooldeck.outcome import Outcome
from pooldeck.protocol import Call, Limits, LogLine, Progress, Unready
from pooldeck.supervisor import WorkerProcess

MOST_CALLS: Final = 8
"""Quick calls that a process worker may have in hand: each frame by itself wakes a process."""

PoolKind = Literal["thread", "process"]


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

    @property
    def slots_per_worker(self) -> int:
        """Return how many tasks one worker runs at a time."""
        return self.size if self.kind == "thread" else 1

    @property
    def workers(self) -> int:
        """Return how many workers make up the size."""
        return self.size // self.slots_per_worker


class PoolState(StrEnum):
    """Whether a pool runs tasks."""

    RUNNING = "running"
    BROKEN = "broken"
    STOPPED = "stopped"


class WorkerState(StrEnum):
    """What a worker is doing."""

    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    STOPPING = "stopping"


class Running(Struct):
    """A call in a worker's hands. `started_at` is None until the worker reported the start."""

    call: Call
    is_quick: bool = False  # others may wait behind it in the same worker
    started_at: float | None = None
    thread: int | None = None


class Worker(Struct, eq=False):
    """A worker as its pool sees it. Times are seconds of the monotonic clock."""

    id: str
    process: WorkerProcess
    slots: int
    started_at: float
    state: WorkerState = WorkerState.STARTING
    running: dict[str, Running] = {}
    tasks_done: int = 0
    refusal: Unready | None = None

    @property
    def takes_more(self) -> bool:
        """Tell whether a quick call may wait here behind the quick ones that it has."""
        return (
            self.slots == 1
            and self.state is WorkerState.BUSY
            and len(self.running) < MOST_CALLS
            and all(running.is_quick for running in self.running.values())
        )

    @property
    def pid(self) -> int:
        """Return its process id, 0 before it has one."""
        return self.process.pid or 0


class PoolListener(Protocol):
    """Who is told what happens in a pool. Called on the event loop; must not block."""

    def started(self, worker: Worker, running: Running) -> None:
        """A worker reported that it started a call."""

    def progressed(self, progress: Progress) -> None:
        """A running call says how far it is."""

    def logged(self, task: str, lines: list[LogLine]) -> None:
        """A running call wrote to its log."""

    def finished(self, worker: Worker, running: Running, outcome: Outcome) -> None:
        """A call ended, or its worker died under it; its slot is free or being replaced."""

    def returned(self, calls: list[Call]) -> None:
        """Calls come back that no worker has started."""

    def described(self, functions: list[FunctionSpec]) -> None:
        """A worker is ready and says which functions it has."""

    def has_room(self) -> None:
        """A slot may be free."""

    def changed(self) -> None:
        """The pool's health changed."""
