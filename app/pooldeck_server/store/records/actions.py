"""The log of actions: written beside what is done, trimmed by age and number, else unchanged."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import asdict
from sqlalchemy import Column, ColumnElement, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from pooldeck_server.domain.actions import Action
from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.store.bulk import Rows
from pooldeck_server.store.tables import action_tasks, actions
from pooldeck_server.store.transaction import Transaction

_DELETED_AT_ONCE: Final = 1000

_new = insert(actions)
_write = _new.on_conflict_do_update(
    index_elements=[actions.c.id], set_={"number": actions.c.number + _new.excluded.number}
).returning(actions.c.n)
_touched = Rows("seq", "action")
_touch = _touched.insert_into(action_tasks).on_conflict_do_nothing()


def act(transaction: Transaction, action: Action, seqs: Iterable[int] = ()) -> None:
    """Write down an action, and which tasks it is done to.

    One of the same `id` that is there is added to.
    """
    row: dict[str, Any] = asdict(action)
    row |= {name: _json(row[name]) for name in ("before", "after")}
    n = transaction.connection.execute(_write, row).scalar_one()
    _touched.execute(transaction.connection, _touch, [(seq, n) for seq in seqs])


def act_on_moved(transaction: Transaction, action: Action, moves: Sequence[TaskChanged]) -> None:
    """Write down an action for the tasks that it has moved; nothing, where it has moved none.

    What is done to a single task says which state that has then.
    """
    if moves:
        after = {"state": moves[0].state} if action.target_kind == "task" else action.after
        done = msgspec.structs.replace(action, number=len(moves), after=after)
        act(transaction, done, [move.seq for move in moves])


def trim_actions(transaction: Transaction, before: int | None, most: int | None = None) -> int:
    """Delete some of the actions that are too old or too many, the oldest first.

    Args:
        transaction: What writes.
        before: What is older goes, in microseconds since the epoch; None: nothing for its age.
        most: How many are kept; None: any number.

    Returns:
        How many are gone.
    """
    gone = 0
    if before is not None:
        gone += _trim(transaction, actions.c.at < before, actions.c.at)
    if most is not None and gone < _DELETED_AT_ONCE:
        # They are numbered as they are written, and only the oldest go: nothing has to be counted.
        last = select(func.max(actions.c.n)).scalar_subquery()
        gone += _trim(transaction, actions.c.n <= last - most, actions.c.n)
    return gone


def _trim(transaction: Transaction, which: ColumnElement[bool], order: Column[Any]) -> int:
    some = select(actions.c.n).where(which).order_by(order).limit(_DELETED_AT_ONCE)
    return transaction.connection.execute(delete(actions).where(actions.c.n.in_(some))).rowcount


def _json(value: dict[str, Any] | None) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()
