"""What outlives a run of the server beside tasks: what was set by hand, and the runs themselves.

Times are microseconds since the epoch.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, Literal

from msgspec import Struct

from pooldeck_server.domain.drains import Drained
from pooldeck_server.domain.failures.incidents import TaskName
from pooldeck_server.domain.tasks.states import State

MOST_NAMED: Final = 20
"""Tasks that an end cut off and that are kept by name; the others are counted."""

ControlState = Literal["running", "paused", "stopped"]


class PoolControl(Struct, frozen=True):
    """What was set by hand for a pool.

    `size` counts only while `configured` is the size that the configuration gives: who changes that
    has the last word. The same goes for `hosts`, of a pool whose hosts an engine places.
    """

    name: str
    size: int | None  # None: as configured
    configured: int
    state: ControlState = "running"
    hosts: int | None = None  # that the engine is asked for; None: as configured
    configured_hosts: int | None = None  # None: no engine places its hosts


class HoldKind(StrEnum):
    """Why a function's tasks wait, and with it whether new ones are taken."""

    CRASHES = "crashes"  # too many workers died under it; new ones are refused
    HAND = "hand"  # somebody put it on hold; new ones are refused
    PAUSE = "pause"  # somebody paused it; new ones are taken, and wait too


class Hold(Struct, frozen=True):
    """A function whose tasks wait until somebody lets them go on.

    Of crashes, `reason` says in English what happened; `cause` is that of the last of `deaths`
    within `within` seconds, for other languages. Otherwise it is what a person gave, "" if nothing,
    and `by` is who that was.
    """

    function: str
    since: int
    deaths: int
    reason: str
    kind: HoldKind = HoldKind.CRASHES
    by: str | None = None
    cause: str | None = None
    within: float | None = None

    @property
    def refuses(self) -> bool:
        """Tell whether new submissions of the function are refused."""
        return self.kind is not HoldKind.PAUSE


class CutOffTask(TaskName, frozen=True):
    """A task that was under way when its server ended, and what it became by that."""

    became: State  # lost, or queued: it is run again


class CutOff(Struct, frozen=True):
    """What the end of a server cost: the tasks that were under way."""

    lost: int = 0
    rerun: int = 0
    tasks: tuple[CutOffTask, ...] = ()  # the first `MOST_NAMED` of them
    drained: Drained | None = None  # by whom the server was drained before it ended

    @classmethod
    def of(cls, tasks: Sequence[CutOffTask], drained: Drained | None = None) -> "CutOff":
        lost = sum(task.became is State.LOST for task in tasks)
        return cls(lost, len(tasks) - lost, tuple(tasks[:MOST_NAMED]), drained)

    @property
    def number(self) -> int:
        return self.lost + self.rerun


class StartReport(Struct, frozen=True):
    """What a start found and what it did with it."""

    was_clean: bool  # the run before this one ended in order, or there was none
    down_seconds: float | None
    queued: int = 0
    scheduled: int = 0
    rerun: int = 0
    lost: int = 0
    reaped: int = 0  # processes that the run before this one had left behind
    held: int = 0  # functions on hold
    cut_off: tuple[CutOffTask, ...] = ()  # those lost or run again, at most 20 of them
    drained: Drained | None = None  # by whom the run before this one was drained before it ended
    not_begun: int = 0  # tasks that workers were to get, and had not begun: they are queued
    found: int = 0  # tasks that had ended, which was not on record yet
    on_hosts: int = 0  # tasks that hosts may run still: not decided on yet


class ServerRun(Struct, frozen=True):
    """One run of the server, from its start to its end."""

    boot: str
    pid: int
    started_at: int
    ended_at: int | None = None  # None: it runs, or was cut off
    report: StartReport | None = None
    cut_off: CutOff | None = None  # by its end in good order
