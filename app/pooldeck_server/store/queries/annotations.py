"""What was done to pools and what befell them, as it is kept."""

from sqlalchemy import Connection, func, or_, select

from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.store.bulk import fetch
from pooldeck_server.store.queries.task_json import json_object
from pooldeck_server.store.tables import annotations as marks


def annotations(
    connection: Connection,
    since: int | None = None,
    until: int | None = None,
    pool: str | None = None,
    limit: int = 100,
) -> list[StoredAnnotation]:
    """Return annotations, the newest first.

    Args:
        connection: To read from.
        since: From then on, in microseconds since the epoch.
        until: Before then.
        pool: Only what concerns this pool: what concerns all is among it.
        limit: How many at most.
    """
    query = select(marks).order_by(marks.c.at.desc(), marks.c.n.desc()).limit(limit)
    if since is not None:
        query = query.where(marks.c.at >= since)
    if until is not None:
        query = query.where(marks.c.at < until)
    if pool is not None:
        query = query.where(or_(marks.c.pool == pool, marks.c.pool.is_(None)))
    newest = query.subquery()
    fields = {name: newest.c[name] for name in StoredAnnotation.__struct_fields__}
    mark = json_object(fields | {"data": func.json(newest.c.data)})
    return fetch(connection, select(func.json_group_array(mark)), list[StoredAnnotation])
