"""The rules: what raises an alert, how long one is quiet afterwards, and what is known of each.

Times are microseconds since the epoch.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from pooldeck_server.domain.notices import Need


class AlertRule(StrEnum):
    """What somebody may want to be told of."""

    NEW_ERROR = "new_error"  # a group of errors that was never seen before
    RETURNED_ERROR = "returned_error"  # one that somebody had marked as fixed
    FUNCTION_ON_HOLD = "function_on_hold"
    WORKER_DIED = "worker_died"
    POOL_BROKEN = "pool_broken"
    OLDEST_WAIT = "oldest_wait"  # a task waits in a pool's queue for longer than the threshold
    LOSSY_STOP = "lossy_stop"  # a server ended, and tasks that ran were lost or run again
    LOW_DISK = "low_disk"
    SLOW_WRITES = "slow_writes"
    ADVICE = "advice"  # it is sure that a function would do much better in another pool
    STARVATION = "starvation"
    STUCK_TASK = "stuck_task"
    NO_BACKUP = "no_backup"


class RuleKind(Struct, frozen=True):
    """What a rule is like before somebody changes it."""

    is_standing: bool = False  # it goes on until it is over; the others happen
    unit: str | None = None  # of its threshold; None: it has none
    threshold: float | None = None
    least: float = 0.0  # that its threshold may be
    most: float = 0.0


_DAY: Final = 86_400.0

RULES: Final[dict[AlertRule, RuleKind]] = {
    AlertRule.NEW_ERROR: RuleKind(),
    AlertRule.RETURNED_ERROR: RuleKind(is_standing=True),
    AlertRule.FUNCTION_ON_HOLD: RuleKind(is_standing=True),
    AlertRule.WORKER_DIED: RuleKind(),
    AlertRule.POOL_BROKEN: RuleKind(is_standing=True),
    AlertRule.OLDEST_WAIT: RuleKind(
        is_standing=True, unit="seconds", threshold=600.0, least=1.0, most=30 * _DAY
    ),
    AlertRule.LOSSY_STOP: RuleKind(),
    AlertRule.LOW_DISK: RuleKind(
        is_standing=True, unit="percent", threshold=10.0, least=0.1, most=90.0
    ),
    AlertRule.SLOW_WRITES: RuleKind(
        is_standing=True, unit="seconds", threshold=2.0, least=1.0, most=3600.0
    ),
    AlertRule.ADVICE: RuleKind(is_standing=True),
    AlertRule.STARVATION: RuleKind(is_standing=True),
    AlertRule.STUCK_TASK: RuleKind(is_standing=True),
    AlertRule.NO_BACKUP: RuleKind(is_standing=True),
}
"""Every rule, in the order of the page."""

OF_NEED: Final = {
    Need.BROKEN: AlertRule.POOL_BROKEN,
    Need.SLOW_WRITES: AlertRule.SLOW_WRITES,
    Need.MISPLACED: AlertRule.ADVICE,
    Need.STARVATION: AlertRule.STARVATION,
    Need.STUCK: AlertRule.STUCK_TASK,
    Need.NO_BACKUP: AlertRule.NO_BACKUP,
}
"""The notices that are alerts too, from when they begin until they end."""

WATCHED: Final = frozenset({*OF_NEED.values(), AlertRule.OLDEST_WAIT, AlertRule.LOW_DISK})
"""The rules whose beginning and end are seen by looking; of the others the store itself knows."""

QUIET_SECONDS: Final = 300.0
"""How long a rule is quiet after a message, unless the settings or somebody say otherwise."""

MOST_QUIET_SECONDS: Final = 7 * _DAY


class AlertFact(Struct, frozen=True):
    """Something that happened, or begins, in the words of a rule."""

    rule: AlertRule
    subject: str  # what it happened to; facts of one subject are counted together
    at: int
    text: str = ""  # what is known of it, on one line, in English, without arguments and results
    path: str = "/"  # the page that tells more
    number: int = 1


class StoredAlert(Struct, frozen=True):
    """What is kept of all facts of one rule about one subject."""

    n: int
    rule: AlertRule
    subject: str
    begun_at: int
    last_at: int
    over_at: int | None  # None: it goes on, or is nothing that goes on
    count: int  # facts so far
    told: int  # of these, what messages have told of
    told_over: bool
    text: str
    path: str

    @property
    def has_news(self) -> bool:
        return self.count > self.told

    @property
    def is_newly_over(self) -> bool:
        """Tell whether it is over, which those who were told that it began do not know."""
        return self.over_at is not None and not self.told_over and self.told > 0


class StoredRule(Struct, frozen=True):
    """How a rule is set, and when a message last told of it."""

    rule: AlertRule
    is_on: bool = True
    threshold: float | None = None
    quiet_seconds: float | None = None  # None: as in the settings
    told_at: int | None = None
