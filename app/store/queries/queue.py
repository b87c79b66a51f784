"""What the dispatcher asks: what waits, what is due, where the ids stand."""

from sqlalchemy import Connection, bindparam, func, select

from app.domain.tasks import QueuedTask, QueueFront, TaskKey
from app.store.bulk import fetch
from app.store.queries.shown import json_object
from app.store.tables import is_scheduled, is_waiting, tasks

_AT_ONCE = 50  # tasks in one answer: each may carry a mebibyte of arguments
_MOST_BYTES = 64 * 1024 * 1024

_fields = QueuedTask.__struct_fields__
_next_in_line = (
    select(*(tasks.c[name] for name in _fields))
    .where(tasks.c.pool == bindparam("pool"), is_waiting)
    .order_by(tasks.c.priority.desc(), tasks.c.seq)
    .limit(bindparam("limit"))
    .offset(bindparam("offset"))
    .subquery()
)
_queued = select(
    func.json_group_array(json_object({name: _next_in_line.c[name] for name in _fields}))
)


def queued(
    connection: Connection, pool: str, limit: int, limit_bytes: int = _MOST_BYTES
) -> QueueFront:
    """Return the unclaimed tasks that wait for `pool`, in the order in which they should run.

    Args:
        connection: Where to read.
        pool: The pool's name.
        limit: How many to return at most.
        limit_bytes: How much of their arguments to return, about.
    """
    found: list[QueuedTask] = []
    size = 0
    while size < limit_bytes and (wanted := min(_AT_ONCE, limit - len(found))):
        batch = fetch(
            connection, _queued, list[QueuedTask], pool=pool, limit=wanted, offset=len(found)
        )
        found += batch
        if len(batch) < wanted:
            return QueueFront(tuple(found), has_more=False)
        size += sum(len(task.args) + len(task.kwargs) for task in batch)
    return QueueFront(tuple(found), has_more=True)


def next_due(connection: Connection) -> int | None:
    """Return when the next scheduled task is due (microseconds since the epoch), or None."""
    query = select(func.min(tasks.c.run_at)).where(is_scheduled)
    found: int | None = connection.execute(query).scalar_one()
    return found


def last_seq_and_id(connection: Connection) -> TaskKey | None:
    """Return the latest submission, after which numbers and ids go on; None if there is none."""
    query = select(tasks.c.seq, tasks.c.id).order_by(tasks.c.seq.desc()).limit(1)
    found = connection.execute(query).one_or_none()
    return None if found is None else TaskKey(*found)
