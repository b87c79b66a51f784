"""The fence: which tasks of a batch are still where their mover believes them to be."""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Double,
    FromClause,
    and_,
    cast,
    func,
    literal_column,
    or_,
    select,
)

from pooldeck_server.domain.tasks.changes import End, TaskChanged
from pooldeck_server.domain.tasks.states import MOVES, State
from pooldeck_server.store.bulk import Rows, json_rows
from pooldeck_server.store.tables import is_queued, is_scheduled, tasks


class OfAttempt(Protocol):
    """What names an attempt of a task: a claim, a start, an end, a rerun, a mark of progress."""

    @property
    def seq(self) -> int:
        """The task's place in the order of submission."""

    @property
    def attempt(self) -> int:
        """The number of the attempt, from 1."""


class Held(Struct, frozen=True, array_like=True):
    """A task as its mover finds it."""

    seq: int
    attempt: int
    id: str
    function: str
    pool: str
    state: State
    queued_seconds: float | None

    def moved_to(
        self,
        state: State,
        *,
        waited: float | None = None,
        ran: float | None = None,
        finished_at: int | None = None,
        failure: End | None = None,
    ) -> TaskChanged:
        """Return its move to `state`.

        Args:
            state: What it becomes.
            waited: Seconds that it waited for a worker, once it started.
            ran: Seconds that it ran, once it ended.
            finished_at: When it ended, in microseconds since the epoch.
            failure: The end of the attempt before, whose error the move tells of, if it has one.
        """
        known = (self.seq, self.id, self.function, self.pool, self.state)
        error = (failure.error_kind, failure.error_group) if failure else ()
        return TaskChanged(*known, state, waited, ran, finished_at, *error)


A = TypeVar("A", bound=OfAttempt)

attempts = Rows("seq", "attempt")
is_claimed = and_(is_queued, tasks.c.claimed == 1)
is_running = tasks.c.state == State.RUNNING
is_in_hand = or_(is_running, is_claimed)
is_ahead = or_(is_queued, is_scheduled)

_EPOCH = literal_column("2440587.5", Double)  # 1970 as a Julian day
_MICROSECONDS_OF_A_DAY = literal_column("86400000000", BigInteger)
now = cast((func.julianday("now") - _EPOCH) * _MICROSECONDS_OF_A_DAY, BigInteger)
"""When a row is written, in microseconds since the epoch, right to the millisecond."""

erased = {
    "args": func.coalesce(tasks.c.shown_args, tasks.c.args),
    "kwargs": func.coalesce(tasks.c.shown_kwargs, tasks.c.kwargs),
}
"""What a final task keeps of its arguments: of sensitive ones only what people may see."""


def held_rows(source: FromClause = tasks, struct: type[Held] = Held) -> ColumnElement[str]:
    """Return the SQL of all rows of `source` (its columns are those of `tasks`) as `struct`."""
    return json_rows(source.c[name] for name in struct.__struct_fields__)


_in_hand = (
    select(held_rows())
    .select_from(attempts.table)
    .join(tasks, tasks.c.seq == attempts["seq"])
    .where(tasks.c.attempt == attempts["attempt"], is_in_hand)
)


def pass_fence(
    connection: Connection, batch: Iterable[A], target: Callable[[A], State]
) -> list[tuple[A, Held]]:
    """Return those of `batch` whose task is in hand, in that attempt, and may move to `target`.

    Where a batch names a task twice, the first counts.
    """
    return [
        (item, task)
        for item, task in find_in_hand(connection, batch)
        if target(item) in MOVES[task.state]
    ]


def find_in_hand(connection: Connection, batch: Iterable[A]) -> list[tuple[A, Held]]:
    """Return those of `batch` whose task is in hand, in that attempt; the first of each task."""
    firsts = first_per_task(batch)
    pairs = [(item.seq, item.attempt) for item in firsts]
    held = {task.seq: task for task in attempts.fetch(connection, _in_hand, Held, pairs)}
    return [(item, held[item.seq]) for item in firsts if item.seq in held]


def first_per_task(batch: Iterable[A]) -> list[A]:
    """Return the first item of each task in `batch`."""
    firsts: dict[int, A] = {}
    for item in batch:
        firsts.setdefault(item.seq, item)
    return list(firsts.values())
