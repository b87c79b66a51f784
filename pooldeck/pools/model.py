"""What a pool is made of: its spec, its workers, the calls in their hands, and who listens."""

import math
from asyncio import TimerHandle
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from msgspec import Struct

from pooldeck.access import Access
from pooldeck.commands import Command
from pooldeck.functions import FunctionSpec
from pooldeck.kinds import PoolKind
from pooldeck.outcome import Observation, Outcome
from pooldeck.pools.supervisor import WorkerProcess
from pooldeck.protocol import Call, Limits, LogLine, Progress, Unready

MOST_CALLS: Final = 8
"""Quick calls that a process worker may have in hand: each frame by itself wakes a process."""


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
    start_seconds: float = 60.0  # for a worker to report the start of a call that it was handed
    leave_seconds: float = 2.0  # for a worker that is sent away to end by itself
    probes: bool = False  # whether its workers say which calls need the GIL
    commands: tuple[Command, ...] = ()
    shared: Access | None = None  # how its workers reach shared state

    @property
    def slots_per_worker(self) -> int:
        """Return how many tasks one worker runs at a time."""
        return self.size if self.kind == "thread" else 1

    @property
    def workers(self) -> int:
        """Return how many workers make up the size."""
        return 1 if self.kind == "thread" else self.size


class PoolState(StrEnum):
    """Whether a pool runs tasks."""

    RUNNING = "running"
    PAUSED = "paused"  # hands nothing out; what runs goes on
    DRAINING = "draining"  # as paused, and stopped when nothing runs any more
    BROKEN = "broken"  # its workers cannot start
    STOPPED = "stopped"  # has no workers


class WorkerState(StrEnum):
    """What a worker is doing."""

    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    SPARE = "spare"  # ready, and without a slot until another worker is gone
    STOPPING = "stopping"  # takes no more calls


class EndReason(StrEnum):
    """Why the server itself ends a worker, or gives up a call in it."""

    TIMEOUT = "timeout"
    KILLED = "killed"  # by hand
    MEMORY = "memory"
    UNSTARTED = "unstarted"  # the worker did not report a start: a call's, or its own
    STOPPED = "stopped"  # with its pool, or retired


class Running(Struct):
    """A call in a worker's hands. Times are seconds of the monotonic clock.

    `started_at` is None until the worker reported the start.
    """

    call: Call
    posted_at: float = 0.0
    started_at: float | None = None
    thread: int | None = None
    ident: int = 0
    native_id: int = 0
    looked_at: float = 0.0  # when its worker was last looked at since no start was reported
    is_asked: bool = False  # to end itself
    is_killed: bool = False  # by hand, while it waits behind another: it must not run


class Worker(Struct, eq=False):
    """A worker as its pool sees it. Times are seconds of the monotonic clock."""

    id: str
    kind: PoolKind
    process: WorkerProcess
    started_at: float
    slots: int = 0  # its share of the pool's size
    state: WorkerState = WorkerState.STARTING
    running: dict[str, Running] = {}
    abandoned: dict[str, Running] = {}  # their threads run on; nobody waits for them
    leaving: set[str] = set()  # abandoned ones whose slot the worker has not given up yet
    has_quick_ones: bool = False  # and no others: more may wait behind them
    tasks_done: int = 0
    turned_at: float = 0.0  # when it turned to the call that it has now
    alarm: TimerHandle | None = None  # when to look for calls that are overdue
    alarm_at: float = math.inf
    ultimatum: TimerHandle | None = None  # when it is killed unless it is ready, or gone, by then
    refusal: Unready | None = None
    is_proven: bool = False  # it lived on for a while after its start
    is_worn: bool = False  # retired as soon as another is ready to take its place
    verdict: EndReason | None = None  # why the server ends it, if it does
    doomed: str | None = None  # the task that the verdict is about, if it is about one
    why: str = ""  # the verdict in words, for those that it hits
    exiting: str | None = None  # the task that called os._exit

    def lift_ultimatum(self) -> None:
        """Note that it is ready or gone in time."""
        if self.ultimatum is not None:
            self.ultimatum.cancel()
            self.ultimatum = None

    @property
    def takes_more(self) -> bool:
        """Tell whether a quick call may wait here behind the quick ones that it has."""
        return (
            self.has_quick_ones
            and len(self.running) < MOST_CALLS
            and self.state is WorkerState.BUSY
        )

    @property
    def is_open(self) -> bool:
        """Tell whether it has slots for calls."""
        return self.state is WorkerState.IDLE or self.state is WorkerState.BUSY

    @property
    def has_worked(self) -> bool:
        """Tell whether it has had a call."""
        return bool(self.running or self.tasks_done or self.abandoned)

    @property
    def head(self) -> Running | None:
        """Return the call that a process worker has turned to; the others wait behind it."""
        return next(iter(self.running.values()), None)

    @property
    def busy(self) -> int:
        """Return how many of its slots have a call."""
        if self.kind == "process":
            return 1 if self.running else 0
        return len(self.running)

    @property
    def held(self) -> int:
        """Return how much of the pool's size it takes up."""
        in_use = self.busy + len(self.leaving)
        return max(self.slots, in_use) if self.is_open else in_use

    def abandon(self, running: Running) -> None:
        """Put a call aside whose thread is left to itself; an earlier attempt may be here, too."""
        task = running.call.task
        del self.running[task]
        earlier = self.abandoned.pop(task, None)
        if earlier is not None:
            self.abandoned[f"{task}/{earlier.call.attempt}"] = earlier
        self.abandoned[task] = running
        self.leaving.add(task)

    def take_abandoned(self, task: str) -> Running | None:
        """Take out the abandoned call of a task, the earliest if there are several."""
        for key in self.abandoned:
            if key == task or key.startswith(f"{task}/"):
                return self.abandoned.pop(key)
        return None

    @property
    def pid(self) -> int:
        """Return its process id, 0 before it has one."""
        return self.process.pid or 0


class Death(Struct, frozen=True):
    """A worker's unexpected end. `detected_at` is a moment of the monotonic clock.

    `culprit` is named where it can be known; where not, `suspects` are those that ran. `bystanders`
    are those that were cut off without being accused.
    """

    worker: str
    pid: int
    detected_at: float
    cause: str
    signal: int | None
    exit_code: int | None
    culprit: Running | None
    suspects: tuple[Running, ...]
    bystanders: tuple[Running, ...]
    traceback: str | None
    peak_rss_bytes: int


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

    def observed(self, observations: list[Observation]) -> None:
        """A worker says what its probe has seen of running calls."""

    def returned(self, calls: list[Call]) -> None:
        """Calls come back that no worker has started, and none of those that had them will."""

    def abandoned_ended(self, worker: Worker, running: Running, outcome: Outcome) -> None:
        """The thread of an abandoned call, reported as finished long ago, came to its end."""

    def died(self, death: Death) -> None:
        """A worker died and nobody here had ended it; its calls have been reported as finished."""

    def recovered(self, worker: str, seconds: float) -> None:
        """The pool has all its slots again, so long after that worker's death was noticed."""

    def described(self, functions: list[FunctionSpec]) -> None:
        """A worker is ready and says which functions it has."""

    def has_room(self) -> None:
        """A slot may be free."""

    def changed(self) -> None:
        """The pool's health changed."""
