"""The workers of a pool and the calls in their hands, as the pool itself keeps them.

What others see of them are frozen values: `RunningCall`, and the pool's `snapshot`.
"""

import math
from asyncio import TimerHandle
from enum import StrEnum
from typing import Final

from msgspec import Struct

from pooldeck.kinds import Ending, Kind
from pooldeck.pools.listener import RunningCall
from pooldeck.pools.model import WorkerState
from pooldeck.pools.supervisor import WorkerProcess
from pooldeck.protocol import Call, Unready

MOST_CALLS: Final = 8
"""Quick calls that a process worker may have in hand: each frame by itself wakes a process."""


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
    is_abandoned: bool = False  # its thread is left to itself


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
        return self.state is WorkerState.IDLE or self.state is WorkerState.BUSY

    @property
    def has_worked(self) -> bool:
        return bool(self.running or self.tasks_done or self.abandoned)

    @property
    def head(self) -> Running | None:
        """Return the oldest call; where calls run alone the others wait behind it."""
        return next(iter(self.running.values()), None)

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
