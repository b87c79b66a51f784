"""Tasks that were in hand when an earlier server ended: found, and recorded as what they become."""

from collections.abc import Callable, Collection

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, select

from pooldeck_server.domain.tasks.changes import Claim, End, Rerun, TaskChanged
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.store.bulk import fetch
from pooldeck_server.store.records.attempts import end, release
from pooldeck_server.store.records.fence import Held, held_rows, is_in_hand
from pooldeck_server.store.records.reruns import rerun
from pooldeck_server.store.tables import counters, tasks
from pooldeck_server.store.transaction import Transaction


class LeftInHand(Held, frozen=True, array_like=True):
    """A task that was left in hand."""

    options: str | None
    reruns: int
    priority: int
    created_at: int
    run_at: int | None
    shown_args: str | None
    shown_kwargs: str | None

    @property
    def has_secrets(self) -> bool:
        """Tell whether some of its arguments are for nobody's eyes."""
        return self.shown_args is not None or self.shown_kwargs is not None


class Interruption(Struct, frozen=True):
    """What became of tasks that were left in hand: moves, and how many are queued as before."""

    tasks: list[LeftInHand]
    moves: list[TaskChanged]
    released: int

    def __bool__(self) -> bool:
        return bool(self.tasks)


def _left_in(pools: ColumnElement[bool], limit: int | None) -> Select[tuple[str]]:
    """Return what finds the tasks in hand, in pools that fit a condition on the counters."""
    found = (
        select(tasks)
        .where(
            tasks.c.pool.in_(select(counters.c.pool).where(pools).distinct()),  # by an index
            tasks.c.state.in_((State.RUNNING, State.QUEUED)),
            is_in_hand,
        )
        .limit(limit)
        .subquery()
    )
    return select(held_rows(found, LeftInHand))


def interrupt(
    transaction: Transaction,
    become: Callable[[LeftInHand], End | Rerun | Claim],
    limit: int = 1000,
    apart_from: Collection[str] = (),
) -> Interruption:
    """Record what up to `limit` tasks become that an earlier server left in hand.

    Called at the start, before anything is handed out, until there are no more.

    Args:
        transaction: Where it is recorded.
        become: Decides on one of them; a claim is taken back.
        limit: How many to take.
        apart_from: Pools whose tasks stay as they are.
    """
    find = _left_in(counters.c.pool.not_in(apart_from), limit)
    return settle(transaction, fetch(transaction.connection, find, list[LeftInHand]), become)


def left_in_hand(connection: Connection, pools: Collection[str]) -> list[LeftInHand]:
    """Return the tasks that an earlier server left in hand in some pools."""
    return fetch(connection, _left_in(counters.c.pool.in_(pools), None), list[LeftInHand])


def settle(
    transaction: Transaction,
    left: list[LeftInHand],
    become: Callable[[LeftInHand], End | Rerun | Claim],
) -> Interruption:
    """Record what tasks become that are in hand still; arguments as those of `interrupt`."""
    became = [become(task) for task in left]
    ends = [each for each in became if isinstance(each, End)]
    reruns = [each for each in became if isinstance(each, Rerun)]
    claims = [each for each in became if isinstance(each, Claim)]
    release(transaction, claims)
    return Interruption(left, [*end(transaction, ends), *rerun(transaction, reruns)], len(claims))
