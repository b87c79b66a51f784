"""What needs somebody's attention, as values; the web layer puts them into words."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from pooldeck_server.domain.pools.controls import Hold, HoldKind


class Need(StrEnum):
    """Why something needs attention."""

    BROKEN = "broken"  # a pool whose workers do not start
    PAUSED = "paused"
    DRAINING = "draining"
    STOPPED = "stopped"
    STARVATION = "starvation"  # all slots of a pool are busy, nothing ends, and tasks wait
    SHORT_OF_SLOTS = "short_of_slots"  # its slots are always busy, and tasks wait for long
    STUCK = "stuck"  # a task runs far longer than its function usually does
    OUTGROWN = "outgrown"  # workers are replaced again and again for the memory that they hold
    ABANDONED = "abandoned"  # threads that outlived their tasks
    NO_NEW_WORKERS = "no_new_workers"  # new ones do not start; those that run go on
    UNSCHEDULABLE = "unschedulable"  # tasks wait that no worker of the pool can run
    OUTDATED = "outdated"  # workers have older code than the disk, or than others
    FAILED_MODULE = "failed_module"  # a module of functions cannot be loaded
    HOLD = "hold"  # a function's tasks wait, after too many deaths or by hand; new ones are refused
    PAUSED_FUNCTION = "paused_function"  # somebody paused a function; new tasks of it are taken
    REFUSED_WRITES = "refused_writes"  # the database does not take writes
    MISSING_DATABASE = "missing_database"  # its file was deleted or moved away
    REPLACED_DATABASE = "replaced_database"  # another file stands in its place
    TAKEN_DATABASE = "taken_database"  # another server has taken the lock
    SLOW_WRITES = "slow_writes"  # what is written waits for the disk
    SERVER_DRAIN = "server_drain"  # somebody has the whole server take nothing new
    RESTORED = "restored"  # put back from a backup, whose tasks wait for somebody's word
    NO_BACKUP = "no_backup"  # the one that was due could not be made
    UNDELETED = "undeleted"  # tasks from before there was retention wait for somebody's yes
    LOW_DISK = "low_disk"  # little room is left for the database
    LEAPT_CLOCK = "leapt_clock"  # it is far ahead of what is known: nothing is deleted by age
    UNTOLD = "untold"  # alerts or callbacks have waited for hours to be sent
    TURNED_OFF = "turned_off"  # destinations of alerts that the server turned off by itself
    UNLOGGED = "unlogged"  # the log file does not take lines
    RETURNED = "returned"  # errors came back that somebody had marked as fixed
    MISPLACED = "misplaced"  # functions that would do clearly better in another pool
    OPEN = "open"  # whoever reaches the server may do everything
    UNDONE = "undone"  # a function failed after a move as it never had before, and went back
    NO_HOST = "no_host"  # a pool whose workers are on hosts, and none is attached
    LOST_CONTACT = "lost_contact"  # a host is not heard of; what runs there may run on
    REFUSED_HOST = "refused_host"  # a host dialled and was turned away


class Notice(Struct, frozen=True):
    """Something that needs attention."""

    need: Need  # why
    pool: str | None = None  # the pool that it is about, None if it is about the server
    seconds: float | None = None  # for how long it has been so; None where that is not known
    number: int = 1  # how many there are, of what it is about; slots, where they starve
    left: float | None = None  # seconds of the time that a drain was given
    waiting: int = 0  # queued tasks that a drain waits for
    stops: bool = False  # the server ends when a drain is done
    by: str | None = None  # who ordered it
    worker: str | None = None  # the worker with the threads
    task: str | None = None  # the task that is stuck, if it is only one
    # the function of that task, of those that wait, the one on hold, the one that is misplaced or
    # went back
    function: str | None = None
    usual: float | None = None  # seconds within which nineteen of twenty of its runs end
    # what is known of the cause, in English; the type of an error; the memory that a worker may
    # hold; the process id of the other server that uses the database
    reason: str | None = None
    group: str | None = None  # the group of errors that returned, if it is only one
    target: str | None = None  # the pool that the function would do better in, or came back from
    file: str | None = None  # the path of the file that is not what it was
    module: str | None = None  # the one that cannot be loaded
    until: int | None = None  # microseconds since the epoch: when tasks of the host are lost
    host: str | None = None  # the name of the host that is not heard of, or was refused
    # how many times as fast it would be there; the most, where there are several
    gain: float | None = None
    risks: int = 0  # how many things are seen in the function's code that its calls would share
    hold: Hold | None = None  # what holds the function

    @property
    def severity(self) -> "Severity":
        if self.hold is not None and self.hold.kind is not HoldKind.CRASHES:
            return Severity.WARNING
        return _SEVERITIES.get(self.need, Severity.WARNING)

    @property
    def key(self) -> str:
        """Return what names the matter, the same as long as it lasts: "paused:cpu"."""
        of = (self.need, self.pool, self.host, self.worker, self.function, self.module)
        return ":".join(part for part in (*of, self.group, self.task) if part)

    @property
    def weight(self) -> int:
        """Return how bad it is: what has grown is worse than what somebody saw before."""
        return self.number if self.need in _GROWING else 1


class SeenNotice(Struct, frozen=True):
    """That somebody has seen a notice: who (`by`), when (microseconds), how bad it was then."""

    key: str
    weight: int
    by: str
    at: int


class Severity(StrEnum):
    """How much something needs somebody, the worst first."""

    CRITICAL = "critical"  # work is refused, cannot run, or is about to be
    WARNING = "warning"  # something waits, or goes wrong, and the rest goes on
    NOTE = "note"  # it could be better


_SEVERITIES: Final[Mapping[Need, Severity]] = {
    Need.BROKEN: Severity.CRITICAL,
    Need.NO_NEW_WORKERS: Severity.CRITICAL,
    Need.HOLD: Severity.CRITICAL,
    Need.FAILED_MODULE: Severity.CRITICAL,
    Need.REFUSED_WRITES: Severity.CRITICAL,
    Need.MISSING_DATABASE: Severity.CRITICAL,
    Need.REPLACED_DATABASE: Severity.CRITICAL,
    Need.TAKEN_DATABASE: Severity.CRITICAL,
    Need.RESTORED: Severity.CRITICAL,
    Need.LOW_DISK: Severity.CRITICAL,
    Need.NO_HOST: Severity.CRITICAL,
    Need.MISPLACED: Severity.NOTE,
    Need.UNDELETED: Severity.NOTE,
}
"""The severity of each need that is not a warning."""

_GROWING: Final = frozenset(
    {
        Need.STUCK,
        Need.OUTGROWN,
        Need.ABANDONED,
        Need.UNSCHEDULABLE,
        Need.RETURNED,
        Need.MISPLACED,
        Need.TURNED_OFF,
    }
)
"""The needs that are worse when their number has grown."""

BY_SEVERITY: Final = {severity: place for place, severity in enumerate(Severity)}
"""The place of each severity among them, the worst first."""


HALTED: Final = {need.value: need for need in (Need.PAUSED, Need.DRAINING, Need.STOPPED)}
"""The states of a pool in which it hands nothing out since somebody said so."""

HELD: Final = frozenset({Need.HOLD, Need.PAUSED_FUNCTION})
"""The needs that are about a function whose tasks wait."""
