"""How long tasks are kept: rules by state and by function, and what they say of a task.

A number of days is counted from a task's end; 0 days or a number of 0 mean that there is no limit.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Struct

from pooldeck_server.domain.clock import SECOND, seconds
from pooldeck_server.domain.errors import NotFound
from pooldeck_server.domain.tasks.states import FINAL, State

DAY: Final = 24 * 3600 * SECOND
"""Microseconds."""

KEYS_DAYS: Final = 7
"""How long the idempotency key of a deleted task is kept, counted from its deletion."""

MOST_DAYS: Final = 36_500
MOST_RULES: Final = 100

Days: TypeAlias = Annotated[
    float, Meta(ge=0, le=MOST_DAYS, description="Counted from a task's end; 0: for ever.")
]
Number: TypeAlias = Annotated[int, Meta(ge=0, le=10**12, description="Of tasks; 0: any number.")]


class FunctionRetention(Struct, frozen=True, forbid_unknown_fields=True):
    """What is otherwise for functions whose names fit a pattern, such as `acme.reports.*`."""

    pattern: Annotated[str, Meta(min_length=1, max_length=200)]
    days: Days | None = None  # instead of those of all states; None: as for the others
    most: Number | None = None  # of each function; None: no limit of its own


class RetentionRules(Struct, frozen=True, forbid_unknown_fields=True):
    """How many days tasks are kept after their ends, by state, and how many in all.

    Of `functions` the first whose pattern fits counts. `others` are the days of what belongs to no
    single task: incidents, marks on charts, groups of errors that were not seen since, experiments.
    """

    succeeded: Days = 30
    failed: Days = 90
    cancelled: Days = 90
    lost: Days = 90
    most: Number = 1_000_000
    others: Days = 365
    functions: Annotated[tuple[FunctionRetention, ...], Meta(max_length=MOST_RULES)] = ()

    def days(self, function: str, state: State) -> float | None:
        """Return for how many days a task of `function` is kept in a final state; None: for ever.

        What has not ended is kept.
        """
        if state not in FINAL:
            return None
        own = rule_of(self.functions, function)
        days: float = getattr(self, state.value) if own is None or own.days is None else own.days
        return days or None

    def cutoff(self, function: str, state: State, now: int) -> int | None:
        """Return the moment up to which ends are too old at `now`, both in microseconds."""
        days = self.days(function, state)
        return None if days is None else now - int(days * DAY)

    def expires_at(self, function: str, state: State, finished_at: int | None) -> int | None:
        """Return when a task may go by its age, in microseconds; None: not by its age."""
        days = self.days(function, state)
        return None if days is None or finished_at is None else finished_at + int(days * DAY)

    def most_of(self, function: str) -> int | None:
        """Return how many tasks of `function` are kept; None: as many as there are."""
        own = rule_of(self.functions, function)
        return (own.most or None) if own else None


@lru_cache(maxsize=4096)
def rule_of(rules: Sequence[FunctionRetention], function: str) -> FunctionRetention | None:
    """Return the first of the rules that fits the name of a function."""
    return next((each for each in rules if fnmatchcase(function, each.pattern)), None)


class KeptRules(Struct, frozen=True):
    """What the store has of retention: rules that were set by hand, and the word for deleting.

    `allowed_at` is None where the database has tasks from before there was retention, and nobody
    has said yes; 0 where it never had any.
    """

    rules: RetentionRules | None
    changed_at: int | None
    allowed_at: int | None


class KeptLane(Struct, frozen=True, array_like=True):
    """Tasks of one function in one pool and state, and how many there are."""

    function: str
    pool: str
    state: State
    n: int


class DeletedInfo(Struct, frozen=True):
    """What is known of a task or pipeline that was deleted."""

    id: str
    deleted_at: int
    fingerprint: str | None = None


class StorageDay(Struct, frozen=True, array_like=True):
    """What the database held at the end of a day: bytes in use, and tasks."""

    day: int  # since the epoch
    used_bytes: int
    tasks: int


class FileRoom(Struct, frozen=True):
    """The database's file: how large it is, and what of it is free for what comes."""

    bytes: int
    free_bytes: int

    @property
    def used_bytes(self) -> int:
        return self.bytes - self.free_bytes


WhyKept: TypeAlias = Literal["kept", "not_final", "needed", "in_pipeline"]
"""Why a task cannot be deleted.

Somebody keeps it; it has not ended; one that comes after it may still need it; the pipeline that it
belongs to goes as a whole.
"""


def growth_per_day(days: Sequence[StorageDay]) -> float | None:
    """Return by how many bytes what is in use grew a day, from the first of `days` to the last."""
    if len(days) < 2:  # noqa: PLR2004 - from one moment to another
        return None
    first, last = days[0], days[-1]
    return (last.used_bytes - first.used_bytes) / (last.day - first.day)


def no_task(task_id: str, known: DeletedInfo | None) -> NotFound:
    """Return what is said where there is no task of an id, with what is known of it."""
    if known is None:
        return NotFound(f"there is no task {task_id}")
    at = datetime.fromtimestamp(seconds(known.deleted_at), UTC)
    return NotFound(
        f"task {task_id} was deleted on {at:%Y-%m-%d %H:%M} UTC, with all that was known of it"
    )
