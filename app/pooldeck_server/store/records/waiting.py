"""A task before a worker has it: submitted, due, cancelled, given up."""

from collections.abc import Sequence

from sqlalchemy import Connection, and_, bindparam, func, select, update
from sqlalchemy.dialects.sqlite import insert

from pooldeck_server.domain.tasks.changes import End, TaskChanged
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import NewTask
from pooldeck_server.store.bulk import Rows, fetch
from pooldeck_server.store.records.callbacks import add_callbacks
from pooldeck_server.store.records.error_groups import count_errors
from pooldeck_server.store.records.fence import Held, erased, held_rows, is_ahead
from pooldeck_server.store.records.fence import now as written_at
from pooldeck_server.store.tables import is_scheduled, task_tags, tasks
from pooldeck_server.store.transaction import Transaction

_new = Rows.of(NewTask, long=("args", "kwargs", "shown_args", "shown_kwargs"))
_kept = [name for name in NewTask.__struct_fields__ if name in tasks.c]
_new_columns = _new.columns(*_kept) | {"tags": func.nullif(_new["tags"], "[]")}
_insert = (
    insert(tasks)
    .from_select(list(_new_columns), select(*_new_columns.values()).where(_new.is_given))
    .on_conflict_do_nothing(
        index_elements=[tasks.c.idempotency_key], index_where=tasks.c.idempotency_key.is_not(None)
    )
)
_named = Rows("seq", "id")
_find_named = (
    select(func.json_group_array(tasks.c.seq))
    .select_from(_named.table)
    .join(tasks, and_(tasks.c.seq == _named["seq"], tasks.c.id == _named["id"]))
)
_tag = Rows("tag", "seq")
_insert_tags = (
    insert(task_tags)
    .from_select(["tag", "seq"], select(_tag["tag"], _tag["seq"]).where(_tag.is_given))
    .on_conflict_do_nothing()
)


def insert_tasks(transaction: Transaction, batch: Sequence[NewTask]) -> list[TaskChanged]:
    """Store submissions, and return the moves.

    One whose idempotency key is taken is not stored; its `seq` is missing in the moves, and
    `queries.task_by_key` finds the task that has the key.
    """
    _new.execute(transaction.connection, _insert, batch)
    stored = _stored(transaction.connection, batch)
    if tags := [(tag, task.seq) for task in stored for tag in task.tags]:
        _tag.execute(transaction.connection, _insert_tags, tags)
    add_callbacks(transaction.connection, stored)
    return transaction.moved(
        [
            TaskChanged(task.seq, task.id, task.function, task.pool, None, task.state)
            for task in stored
        ]
    )


def _stored(connection: Connection, batch: Sequence[NewTask]) -> Sequence[NewTask]:
    """Return those of `batch` that were stored: all, where nothing has a key."""
    if all(task.idempotency_key is None for task in batch):
        return batch
    pairs = [(task.seq, task.id) for task in batch]
    found = frozenset(_named.fetch(connection, _find_named, int, pairs))
    return [task for task in batch if task.seq in found]


_task = Rows("seq")
_find_ahead = (
    select(held_rows())
    .select_from(_task.table)
    .join(tasks, tasks.c.seq == _task["seq"])
    .where(is_ahead)
)
_cancelled = Rows("seq", "finished_at")
_cancel = (
    update(tasks)
    .where(tasks.c.seq == _cancelled["seq"], is_ahead)
    .values(state=State.CANCELLED, claimed=0, finished_at=_cancelled["finished_at"], **erased)
)


def cancel(transaction: Transaction, seqs: Sequence[int], now: int) -> list[TaskChanged]:
    """Cancel tasks that have not reached a worker, and return the moves.

    Claimed ones too: whoever names them here has taken them back before they were handed over.
    `now` is in microseconds since the epoch.
    """
    rows = [(seq,) for seq in dict.fromkeys(seqs)]
    found = _task.fetch(transaction.connection, _find_ahead, Held, rows)
    _cancelled.execute(transaction.connection, _cancel, [(task.seq, now) for task in found])
    return transaction.moved([task.moved_to(State.CANCELLED, finished_at=now) for task in found])


_lost = Rows.of(End, long=("result", "error"))
_lose = (
    update(tasks)
    .where(tasks.c.seq == _lost["seq"], is_ahead)
    .values(
        _lost.columns("state", "finished_at", "error_kind", "error", "error_group")
        | {"claimed": 0, "recorded_at": written_at}
        | erased
    )
)


def lose(transaction: Transaction, batch: Sequence[End]) -> list[TaskChanged]:
    """Record tasks that have not reached a worker as lost, and return the moves."""
    rows = [(end.seq,) for end in batch]
    found = {
        task.seq: task for task in _task.fetch(transaction.connection, _find_ahead, Held, rows)
    }
    passed = [(end, found[end.seq]) for end in batch if end.seq in found]
    _lost.execute(transaction.connection, _lose, [end for end, _ in passed])
    count_errors(transaction, passed)
    return transaction.moved(
        [
            task.moved_to(State.LOST, finished_at=end.finished_at, failure=end)
            for end, task in passed
        ]
    )


_due = (
    select(tasks)
    .where(is_scheduled, tasks.c.run_at <= bindparam("now"))
    .order_by(tasks.c.run_at)
    .limit(bindparam("limit"))
    .subquery()
)
_find_due = select(held_rows(_due))
_promote = update(tasks).where(tasks.c.seq == _task["seq"], is_scheduled).values(state=State.QUEUED)


def promote_due(transaction: Transaction, now: int, limit: int = 1000) -> list[TaskChanged]:
    """Queue up to `limit` scheduled tasks whose time has come, the longest due first."""
    due = fetch(transaction.connection, _find_due, list[Held], now=now, limit=limit)
    _task.execute(transaction.connection, _promote, [(task.seq,) for task in due])
    return transaction.moved([task.moved_to(State.QUEUED) for task in due])
