"""Tasks that were in hand when an earlier server ended: found, and recorded as what they become."""

from collections.abc import Callable

from msgspec import Struct
from sqlalchemy import bindparam, select

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


_left_in_hand = (
    select(tasks)
    .where(
        tasks.c.pool.in_(select(counters.c.pool).distinct()),  # so that an index finds them
        tasks.c.state.in_((State.RUNNING, State.QUEUED)),
        is_in_hand,
    )
    .limit(bindparam("limit"))
    .subquery()
)
_find_left_in_hand = select(held_rows(_left_in_hand, LeftInHand))


def interrupt(
    transaction: Transaction,
    become: Callable[[LeftInHand], End | Rerun | Claim],
    limit: int = 1000,
) -> Interruption:
    """Record what up to `limit` tasks become that an earlier server left in hand.

    Called at the start, before anything is handed out, until there are no more.

    Args:
        transaction: Where it is recorded.
        become: Decides on one of them; a claim is taken back.
        limit: How many to take.
    """
    left = fetch(transaction.connection, _find_left_in_hand, list[LeftInHand], limit=limit)
    became = [become(task) for task in left]
    ends = [each for each in became if isinstance(each, End)]
    reruns = [each for each in became if isinstance(each, Rerun)]
    claims = [each for each in became if isinstance(each, Claim)]
    release(transaction, claims)
    return Interruption(left, [*end(transaction, ends), *rerun(transaction, reruns)], len(claims))
