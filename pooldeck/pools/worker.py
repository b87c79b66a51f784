"""The workers of a pool and the calls in their hands, as the pool itself keeps them.

What others see of them are frozen values: `RunningCall`, and the pool's `snapshot`.
"""

import math
from asyncio import TimerHandle
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec
from msgspec import Struct

from pooldeck.commands import Command
from pooldeck.kinds import Ending, Kind
from pooldeck.loaded_code import ModuleFailure
from pooldeck.masking import Mask, Sensitive, united
from pooldeck.pools.listener import RunningCall
from pooldeck.pools.model import WorkerState
from pooldeck.pools.process_signs import Program
from pooldeck.pools.supervisor import WorkerProcess
from pooldeck.protocol import Call, LogLine, Unready

MOST_CALLS: Final = 8
"""Quick calls that a process worker may have in hand: each frame by itself wakes a process."""


class EndReason(StrEnum):
    """Why the server itself ends a worker, or gives up a call in it."""

    TIMEOUT = "timeout"
    KILLED = "killed"  # by hand
    MEMORY = "memory"
    UNSTARTED = "unstarted"  # it did not get ready, or with too little
    STOPPED = "stopped"  # with its pool, or retired


class Heard(Struct):
    """How far a log has arrived: the number of its last line, and the lines that are unfinished."""

    last: int = 0
    unfinished: dict[int, LogLine] = {}

    def note(self, lines: list[LogLine]) -> None:
        """Note lines that arrived, in the order of their numbers."""
        for line in lines:
            self.last = max(self.last, line.n)
            if line.is_open:
                self.unfinished[line.n] = line
            elif self.unfinished:
                self.unfinished.pop(line.n, None)

    def lacks(self, line: LogLine) -> bool:
        return line.n > self.last or line.n in self.unfinished


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
    looks: int = 0  # at its worker, since then
    is_asked: bool = False  # to end itself
    is_killed: bool = False  # by hand, while it waits behind another: it must not run
    is_abandoned: bool = False  # its thread is left to itself
    heard: Heard = msgspec.field(default_factory=Heard)


class Left(Struct, frozen=True):
    """What a call that has ended left running in its worker: threads, by ident, or children."""

    call: Call
    threads: Sequence[int]


class Worker(Struct, eq=False):
    """A worker as its pool sees it. Times are seconds of the monotonic clock."""

    id: str
    kind: Kind
    process: WorkerProcess
    started_at: float
    slots: int = 0  # its share of the pool's size
    state: WorkerState = WorkerState.STARTING
    running: dict[str, Running] = {}
    abandoned: dict[str, Running] = {}  # their threads run on; nobody waits for them
    leaving: set[str] = set()  # abandoned ones whose slot the worker has not given up yet
    has_quick_ones: bool = False  # and no others: more may wait behind them
    heard: Heard = msgspec.field(default_factory=Heard)  # of its own log
    tasks_done: int = 0
    turned_at: float = 0.0  # when it turned to the call that it has now
    alarm: TimerHandle | None = None  # when to look for calls that are overdue
    alarm_at: float = math.inf
    ultimatum: TimerHandle | None = None  # when it is killed unless it is ready, or gone, by then
    loading: str | None = None  # the module that it is importing
    sensitive: Mapping[str, Sensitive] = {}  # the functions that have sensitive arguments
    lacks: frozenset[str] = frozenset()  # modules that it could not load
    refusal: Unready | ModuleFailure | None = None  # why it is not ready
    is_proven: bool = False  # it lived on for a while after its start
    is_worn: bool = False  # retired as soon as another is ready to take its place
    verdict: EndReason | None = None  # why the server ends it, if it does
    doomed: str | None = None  # the task that the verdict is about, if it is about one
    why: str = ""  # the verdict in words, for those that it hits
    exiting: str | None = None  # the task that called os._exit
    left: dict[str, Left] = {}  # by task; what runs on now
    ident: int = 0  # of its main thread
    program: Program | None = None  # that it runs
    inherited_bytes: int = 0  # which the kernel takes for its peak memory, where it used less
    peak_rss_bytes: int | None = None  # as seen while it ran
    left_at: float = 0.0  # when it was told to leave
    is_expelled: bool = False  # it did not end by itself when it was to leave

    @property
    def log_extra(self) -> Mapping[str, object]:
        """Return the `extra` of a logging call that is about it."""
        return self.process.log_extra

    def lift_ultimatum(self) -> None:
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
    def mask(self) -> Mask | None:
        """Return what masks the sensitive arguments of the calls that run in it, or may."""
        calls = [running.call for running in self.at_risk]
        calls += [left.call for left in self.left.values()]
        secret = ((self.sensitive.get(call.function), call) for call in calls)
        masks = (one.mask(call.args, call.kwargs) for one, call in secret if one is not None)
        return united(mask for mask in masks if mask is not None)

    @property
    def is_open(self) -> bool:
        return self.state is WorkerState.IDLE or self.state is WorkerState.BUSY

    @property
    def is_ready(self) -> bool:
        return self.is_open or self.state is WorkerState.SPARE

    @property
    def has_worked(self) -> bool:
        return bool(self.running or self.tasks_done or self.abandoned)

    @property
    def head(self) -> Running | None:
        """Return the oldest call; where calls run alone the others wait behind it."""
        return next(iter(self.running.values()), None)

    @property
    def at_risk(self) -> list[Running]:
        """Return the calls that run or may run, abandoned ones too."""
        return [*self.kind.at_risk(self.running.values()), *self.abandoned.values()]

    @property
    def busy(self) -> int:
        return min(1, len(self.running)) if self.kind.is_alone else len(self.running)

    @property
    def held(self) -> int:
        """Return how much of the pool's size it takes up."""
        in_use = self.busy + len(self.leaving)
        return max(self.slots, in_use) if self.is_open else in_use

    def abandon(self, running: Running) -> None:
        """Put a call aside whose thread is left to itself; an earlier attempt may be here, too."""
        task = running.call.task
        running.is_abandoned = True
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

    def note_left(self, threads: Mapping[str, Sequence[int]]) -> None:
        """Note the tasks of which something runs on, with the idents of their threads."""
        known = {task: left.call for task, left in self.left.items()}
        for task, running in (*self.abandoned.items(), *self.running.items()):
            known[task] = running.call
        self.left = {task: Left(known[task], threads[task]) for task in threads if task in known}

    def note_memory(self, rss_bytes: int) -> None:
        self.peak_rss_bytes = max(rss_bytes, self.peak_rss_bytes or 0)

    def is_own_peak(self, kernel_bytes: int) -> bool:
        """Tell whether the kernel's figure at its end is its own, as it rose since the start."""
        return kernel_bytes > self.inherited_bytes

    def peak_at_end(self, kernel_bytes: int) -> int | None:
        """Return its peak memory: the kernel's figure at its end, or else what was seen of it."""
        return kernel_bytes if self.is_own_peak(kernel_bytes) else self.peak_rss_bytes

    def command(self, call: Call) -> Command | None:
        """Return the declared command that a call is for; None where it is for a function."""
        commands = self.process.setup.commands
        return next((each for each in commands if each.name == call.function), None)

    @property
    def pid(self) -> int:
        return self.process.pid or 0

    def seen(self, running: Running, ending: Ending | None = None) -> RunningCall:
        """Return one of its calls as others see it, with its ending where that is asked for."""
        return RunningCall(
            call=running.call,
            worker=self.id,
            pid=self.pid,
            posted_at=running.posted_at,
            started_at=running.started_at,
            thread=running.thread,
            is_asked=running.is_asked,
            is_abandoned=running.is_abandoned,
            ending=ending,
        )
