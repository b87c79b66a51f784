"""A task that has not started is changed, where it is still as whoever decided on it found it."""

from collections.abc import Iterable

from sqlalchemy import func, select, update

from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.domain.tasks.edits import EDITED, EditableTask
from pooldeck_server.store.bulk import Rows
from pooldeck_server.store.queries.argument_text import indexed_texts
from pooldeck_server.store.records.fence import is_ahead
from pooldeck_server.store.records.notes import index_again
from pooldeck_server.store.tables import tasks
from pooldeck_server.store.transaction import Transaction

_decided = Rows("seq", "edits")
_find_edited = (
    select(func.json_group_array(tasks.c.seq))
    .select_from(_decided.table)
    .join(tasks, tasks.c.seq == _decided["seq"])
    .where(tasks.c.edits != _decided["edits"])
)


def edit(transaction: Transaction, found: EditableTask, edited: EditableTask) -> TaskChanged | None:
    """Let a task become `edited`, if it is as it was `found` and no worker has a claim on it.

    Its key goes on to mean what was submitted under it; what is searched follows.

    Returns:
        The move, which may be one to the same state; None if nothing was changed: look again.
    """
    connection = transaction.connection
    values = {name: getattr(edited, name) for name in (*EDITED, "placed")}
    has_other_text = (found.args, found.kwargs) != (edited.args, edited.kwargs)
    known = indexed_texts(connection, [found.seq]) if has_other_text else []
    written = connection.execute(
        update(tasks)
        .where(
            tasks.c.seq == found.seq,
            tasks.c.attempt == found.attempt,
            tasks.c.edits == found.edits,
            tasks.c.state == found.state,
            tasks.c.claimed == 0,
            is_ahead,
        )
        .values(**values, edits=found.edits + 1)
    )
    if not written.rowcount:
        return None
    if has_other_text:
        index_again(connection, found.seq, known)
    move = TaskChanged(
        found.seq,
        found.id,
        found.function,
        edited.pool,
        found.state,
        edited.state,
        edited_in=found.pool,
    )
    transaction.moved([move])
    return move


def edited_since(transaction: Transaction, decided: Iterable[tuple[int, int]]) -> frozenset[int]:
    """Return which tasks were changed since something was decided on them.

    Each is given with how often it had been changed then.
    """
    return frozenset(_decided.fetch(transaction.connection, _find_edited, int, decided))
