"""A task's place in its queue, and the oldest that waits: by the index of the queue alone."""

from sqlalchemy import Connection, Select, bindparam, func, select

from pooldeck_server.domain.tasks.dependencies import RelatedTask
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.domain.tasks.waiting import MOST_COUNTED, QueuePlace, WaitFacts
from pooldeck_server.store.bulk import fetch_all
from pooldeck_server.store.tables import edges, holds, is_waiting, tasks

_NAMED = 8

_pool = tasks.c.pool == bindparam("pool")
_in_line = select(tasks.c.seq, tasks.c.function).where(_pool, is_waiting)
_higher = _in_line.where(tasks.c.priority > bindparam("priority"))
_equal = _in_line.where(tasks.c.priority == bindparam("priority"), tasks.c.seq < bindparam("seq"))


def wait_facts(connection: Connection, task: StoredTask) -> WaitFacts | None:
    """Return what the store knows of why a task waits; None if it does not wait."""
    if task.state is State.QUEUED:
        return WaitFacts(queue_place(connection, task))
    if task.state is State.SCHEDULED:
        return _unended_needs(connection, task.seq) if task.run_at is None else WaitFacts()
    return None


def queue_place(connection: Connection, task: StoredTask, most: int = MOST_COUNTED) -> QueuePlace:
    """Return how many unclaimed tasks of its pool go before a task, of the `most` looked at.

    They are found along the index of the queue. Where functions are on hold, theirs do not count.
    """
    values = {"pool": task.pool, "priority": task.priority, "seq": task.seq}
    looked_at = ahead = 0
    for part in (_higher, _equal):
        row = connection.execute(_counted(part, most + 1 - looked_at), values).one()
        looked_at, ahead = looked_at + row.looked_at, ahead + row.ahead
        if looked_at > most:
            return QueuePlace(min(ahead, most), is_exact=False)
    return QueuePlace(ahead)


def _counted(part: Select[tuple[int, str]], most: int) -> Select[int, int]:
    line = part.limit(most).subquery()
    is_held = line.c.function.in_(select(holds.c.function))
    return select(
        func.count().label("looked_at"), func.count().filter(~is_held).label("ahead")
    ).select_from(line)


def _unended_needs(connection: Connection, seq: int) -> WaitFacts:
    """Return the tasks that one comes after and that have not ended: the first, and how many."""
    join = edges.join(tasks, tasks.c.seq == edges.c.needs)
    conditions = (edges.c.seq == seq, tasks.c.state.not_in(FINAL))
    named = (
        select(tasks.c.id, tasks.c.function, tasks.c.state, edges.c.rule)
        .select_from(join)
        .where(*conditions)
        .order_by(edges.c.needs)
        .limit(_NAMED)
    )
    number = select(func.count()).select_from(join).where(*conditions)
    return WaitFacts(
        tasks=tuple(fetch_all(connection, named, RelatedTask)),
        needs=connection.scalar(number) or 0,
    )


def oldest_waiting(connection: Connection, pool: str) -> int | None:
    """Return since when the task of a pool waits that was submitted first, held or not.

    Microseconds since the epoch; None if none waits. The index is asked once for each priority.
    """
    seq = connection.scalar(_oldest, {"pool": pool})
    if seq is None:
        return None
    ready = func.max(tasks.c.created_at, func.coalesce(tasks.c.run_at, 0))
    found: int | None = connection.scalar(select(ready).where(tasks.c.seq == seq))
    return found


def _oldest_of_priorities() -> Select[tuple[int]]:
    """Return the first number of each priority's line, and of these the least."""
    start = select(func.max(tasks.c.priority).label("priority")).where(_pool, is_waiting)
    steps = start.cte("steps", recursive=True)
    lower = (
        select(func.max(tasks.c.priority))
        .where(_pool, is_waiting, tasks.c.priority < steps.c.priority)
        .correlate(steps)
        .scalar_subquery()
    )
    steps = steps.union_all(select(lower).where(steps.c.priority.is_not(None)))
    first = (
        select(tasks.c.seq)
        .where(_pool, is_waiting, tasks.c.priority == steps.c.priority)
        .correlate(steps)
        .order_by(tasks.c.seq)
        .limit(1)
        .scalar_subquery()
    )
    return select(func.min(first)).where(steps.c.priority.is_not(None))


_oldest = _oldest_of_priorities()
