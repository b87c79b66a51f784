"""Why a task waits, as data: the reason, what it is about, its place, and what would help.

`pooldeck_server.runtime.tasks.waiting` finds it, `pooldeck_server.web.text.waiting` puts it into
words for the pages, the API and the command line.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from pooldeck_server.domain.tasks.dependencies import RelatedTask
from pooldeck_server.domain.tasks.needs import Lack
from pooldeck_server.domain.tasks.states import State

WAITS: Final = frozenset({State.SCHEDULED, State.QUEUED})
"""The states in which a task waits for something."""

MOST_COUNTED: Final = 10_000
"""Tasks before one that are counted: beyond, only that there are more is said."""


class WaitReason(StrEnum):
    """What a task waits for; if several things hold it up, the one to be mended first."""

    TASKS = "waits_for_tasks"  # it comes after others that have not ended
    RETRY = "waits_to_retry"  # it failed, and is run again after a pause
    TIME = "waits_for_its_time"  # it is to run later
    RESTORED = "server_restored"  # nothing of a backup runs before somebody says so
    SERVER_DRAIN = "server_draining"  # the server hands nothing out
    NO_POOL = "no_such_pool"  # the configuration has no pool of that name any more
    HOLD = "function_on_hold"
    PAUSED = "pool_paused"
    DRAINING = "pool_draining"
    STOPPED = "pool_stopped"
    BROKEN = "pool_broken"  # no worker of the pool can be started
    STARTING = "pool_starting"  # no worker of the pool is ready yet
    NO_HOST = "no_host"  # no host of its pool is attached
    UNSCHEDULABLE = "no_worker_has_it"  # the workers have other code
    NOBODY_HAS = "no_machine_has_it"  # what it needs of one: none of its pool has as much
    IN_USE = "needs_in_use"  # the machines that have what it needs are busy with other tasks
    CLAIMED = "claimed"  # ahead of time: a worker that is busy has it next
    FULL = "slots_busy"  # all slots of its pool are, and it is in the line for one
    LINE = "in_line"  # slots are free, and it is on its way to one


class Help(StrEnum):
    """What somebody can do about it."""

    RESUME_POOL = "resume_pool"
    RELEASE_FUNCTION = "release_function"
    RESUME_SERVER = "resume_server"
    RESTART_POOL = "restart_pool"
    SETTLE_RESTORED = "settle_restored"
    SEE_UNSCHEDULABLE = "see_unschedulable"
    SEE_RUNNING = "see_running"  # what keeps the slots
    RUN_NOW = "run_now"
    SEE_TASKS = "see_tasks"  # those that it comes after


class QueuePlace(Struct, frozen=True):
    """How many unclaimed tasks go before one; `is_exact` is False where there are more.

    Where functions are on hold, tasks of theirs are not counted.
    """

    ahead: int
    is_exact: bool = True


class WaitFacts(Struct, frozen=True):
    """What the store knows of why a task waits: its place, and what it comes after."""

    place: QueuePlace | None = None
    tasks: tuple[RelatedTask, ...] = ()  # the first of those that have not ended
    needs: int = 0  # how many these are


class TaskWait(Struct, frozen=True):
    """Why a task waits at this moment. Times are microseconds since the epoch."""

    reason: WaitReason
    task: str  # its id
    pool: str
    function: str
    since: int | None = None  # when that began, where it is known
    until: int | None = None  # when it is over, where a time is set
    by: str | None = None  # who ordered it
    why: str | None = None  # what is known of the cause, in English
    slots: int = 0  # of the pool
    attempt: int = 0  # the one that failed before the pause
    needs: int = 0  # tasks that it comes after
    tasks: tuple[RelatedTask, ...] = ()  # the first of those that have not ended
    place: QueuePlace | None = None  # in the queue; None: not counted, or it would mean nothing
    seconds: float | None = None  # about how long until it starts; None: cannot be said
    help: Help | None = None
    wants: Mapping[str, float] = {}  # what it needs of a machine, where that is the reason
    lacks: tuple[Lack, ...] = ()  # of these what no machine has enough of
