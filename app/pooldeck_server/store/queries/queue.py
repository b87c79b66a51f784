"""What the dispatcher asks: what waits, what is due, where the ids stand."""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, bindparam, func, select

from pooldeck_server.domain.tasks.task import QueuedTask, QueueFront, TaskKey
from pooldeck_server.store.bulk import Rows, fetch, json_object
from pooldeck_server.store.tables import holds, is_scheduled, is_waiting, retention, tasks

_AT_ONCE = 50  # tasks in one answer: each may carry a mebibyte of arguments
_MOST_BYTES = 64 * 1024 * 1024

_first = (
    select(tasks.c.seq)
    .where(
        tasks.c.pool == bindparam("pool"),
        is_waiting,
        tasks.c.function.not_in(select(holds.c.function)),
    )
    .order_by(tasks.c.priority.desc(), tasks.c.seq)
    .limit(bindparam("limit"))
    .subquery()
)
_find_first = select(func.json_group_array(_first.c.seq))

_row = Rows("seq")
_queued = (
    select(
        func.json_group_array(
            json_object({name: tasks.c[name] for name in QueuedTask.__struct_fields__})
        )
    )
    .select_from(_row.table)
    .join(tasks, tasks.c.seq == _row["seq"])
)


def queued(
    connection: Connection,
    pool: str,
    limit: int,
    limit_bytes: int = _MOST_BYTES,
    without: Collection[int] = (),
) -> QueueFront:
    """Return the unclaimed tasks that wait for `pool`, in the order in which they should run.

    Tasks of functions on hold are left out, and those whose numbers are `without`. They are `limit`
    at most, with about `limit_bytes` of arguments.
    """
    most = limit + 1 + len(without)
    found_first = fetch(connection, _find_first, list[int], pool=pool, limit=most)
    line = [seq for seq in found_first if seq not in without][: limit + 1]
    wanted = min(limit, len(line))
    found: list[QueuedTask] = []
    size = 0
    while len(found) < wanted and size < limit_bytes:
        seqs = line[len(found) : min(len(found) + _AT_ONCE, wanted)]
        batch = _row.fetch(connection, _queued, QueuedTask, [(seq,) for seq in seqs])
        found += sorted(batch, key=lambda task: task.order)
        size += sum(len(task.args) + len(task.kwargs) for task in batch)
    return QueueFront(tuple(found), has_more=len(found) < len(line))


_waiting = _queued.where(is_waiting, tasks.c.function.not_in(select(holds.c.function)))


def waiting(connection: Connection, seqs: Sequence[int]) -> list[QueuedTask]:
    """Return those of the tasks numbered `seqs` that wait for a slot, and are not on hold."""
    return _row.fetch(connection, _waiting, QueuedTask, [(seq,) for seq in seqs])


def next_due(connection: Connection) -> int | None:
    """Return when the next scheduled task is due (microseconds since the epoch), or None."""
    query = select(func.min(tasks.c.run_at)).where(is_scheduled)
    found: int | None = connection.execute(query).scalar_one()
    return found


def last_seq_and_id(connection: Connection) -> TaskKey | None:
    """Return the latest submission, after which numbers and ids go on; None if there is none.

    It may have been deleted since.
    """
    query = select(tasks.c.seq, tasks.c.id).order_by(tasks.c.seq.desc()).limit(1)
    gone = select(retention.c.last_seq, retention.c.last_id).where(
        retention.c.last_seq.is_not(None)
    )
    found = [*connection.execute(query), *connection.execute(gone)]
    return TaskKey(*max(found)) if found else None
