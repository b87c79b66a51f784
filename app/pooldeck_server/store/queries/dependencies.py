"""What waits for other tasks, what it waits for, and what these returned."""

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Connection, func, select

from pooldeck_server.domain.tasks.dependencies import NeedState, RelatedTask, RelatedTasks
from pooldeck_server.domain.tasks.releases import Awaiting, stopper
from pooldeck_server.store.bulk import Rows, fetch, fetch_all, json_object, json_rows
from pooldeck_server.store.connections import driver
from pooldeck_server.store.tables import edges, is_awaiting, links, tasks

_row = Rows("seq")
_find_awaiting = select(func.json_group_array(tasks.c.seq)).where(is_awaiting)

_need = json_rows(
    (edges.c.seq, edges.c.needs, edges.c.name, edges.c.rule, tasks.c.id, tasks.c.state)
)
_find_needs = select(_need).select_from(
    _row.table.join(edges, edges.c.seq == _row["seq"]).join(tasks, tasks.c.seq == edges.c.needs)
)


def awaiting(connection: Connection) -> list[int]:
    return fetch(connection, _find_awaiting, list[int])


def needs(connection: Connection, seqs: Iterable[int]) -> dict[int, list[NeedState]]:
    """Return what each of these tasks comes after, in the order of submission.

    Those that wait no more are left out; one that comes after nothing has an empty list.
    """
    rows = [(seq,) for seq in seqs]
    found: dict[int, list[NeedState]] = {
        seq: [] for seq in _row.fetch(connection, _still, int, rows)
    }
    waiting = [(seq,) for seq in found]
    for need in _row.fetch(connection, _find_needs, NeedState, waiting):
        found[need.seq].append(need)
    for each in found.values():
        each.sort(key=lambda need: need.needs)
    return found


_still = (
    select(func.json_group_array(tasks.c.seq))
    .select_from(_row.table.join(tasks, tasks.c.seq == _row["seq"]))
    .where(is_awaiting)
)


def stopper_of(connection: Connection, seq: int) -> NeedState | None:
    """Return a task that, as it is now, has the one numbered `seq` cancelled; None for none."""
    return stopper(_row.fetch(connection, _find_needs, NeedState, [(seq,)]))


_awaiting_task = json_object(
    {name: (tasks if name in tasks.c else links).c[name] for name in Awaiting.__struct_fields__}
    | {
        "run_at": links.c.run_at,
        "tags": func.json(func.coalesce(tasks.c.tags, "[]")),
        "lists": func.json(func.coalesce(links.c.lists, "[]")),
    }
)
_find_task = (
    select(func.json_group_array(_awaiting_task))
    .select_from(_row.table.join(tasks, tasks.c.seq == _row["seq"]))
    .join(links, links.c.seq == tasks.c.seq)
    .where(is_awaiting)
)


def awaiting_task(connection: Connection, seq: int) -> Awaiting | None:
    found = _row.fetch(connection, _find_task, Awaiting, [(seq,)])
    return found[0] if found else None


def results(connection: Connection, seqs: Sequence[int], most: int) -> dict[int, str] | None:
    """Return the results of tasks as JSON texts, of those that have one.

    They are read one by one, so that a task with many large ones before it costs no more than it
    may have: where they are more than `most` characters together, None is returned.
    """
    cursor = driver(connection).cursor()
    found, size = {}, 0
    for seq in seqs:
        row = cursor.execute("SELECT result FROM tasks WHERE seq = ?", (seq,)).fetchone()
        if row is not None and row[0] is not None:
            found[seq] = row[0]
            size += len(row[0])
            if size > most:
                return None
    return found


def item_count(connection: Connection, pipeline_id: str | None, step: str) -> int | None:
    """Return how many tasks a step has become that goes over a list; None if nothing tells."""
    query = select(links.c["items"]).where(links.c.pipeline == pipeline_id, links.c.step == step)
    return connection.scalar(query.limit(1))


def follower_count(connection: Connection, seq: int) -> int:
    query = select(func.count()).select_from(edges).where(edges.c.needs == seq)
    return connection.scalar(query) or 0


def related_tasks(connection: Connection, seq: int, limit: int = 8) -> RelatedTasks:
    """Return the tasks right before and after one, up to `limit` of each."""
    before, after = edges.c.seq == seq, edges.c.needs == seq
    return RelatedTasks(
        _related(connection, before, edges.c.needs, limit),
        _related(connection, after, edges.c.seq, limit),
        connection.scalar(select(func.count()).select_from(edges).where(before)) or 0,
        connection.scalar(select(func.count()).select_from(edges).where(after)) or 0,
    )


def _related(
    connection: Connection, side: ColumnElement[bool], other: ColumnElement[int], limit: int
) -> tuple[RelatedTask, ...]:
    found = (
        select(tasks.c.id, tasks.c.function, tasks.c.state, edges.c.rule)
        .select_from(edges.join(tasks, tasks.c.seq == other))
        .where(side)
        .order_by(other)
        .limit(limit)
    )
    return tuple(fetch_all(connection, found, RelatedTask))
