"""What was done to pools and what befell them, as it is kept."""

from sqlalchemy import Connection, or_, select

from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.store.bulk import fetch_all
from pooldeck_server.store.tables import annotations as marks


def annotations(
    connection: Connection,
    since: int | None = None,
    until: int | None = None,
    pool: str | None = None,
    limit: int = 100,
) -> list[StoredAnnotation]:
    """Return up to `limit` annotations, the newest first.

    `since` and `until` (exclusive) are microseconds since the epoch. What concerns all pools is
    among those of any `pool`.
    """
    query = select(marks).order_by(marks.c.at.desc(), marks.c.n.desc()).limit(limit)
    if since is not None:
        query = query.where(marks.c.at >= since)
    if until is not None:
        query = query.where(marks.c.at < until)
    if pool is not None:
        query = query.where(or_(marks.c.pool == pool, marks.c.pool.is_(None)))
    return fetch_all(connection, query, StoredAnnotation, json={"data"})


def kill_of(connection: Connection, task_id: str, since: int) -> StoredAnnotation | None:
    """Return the note of the latest time that a task was killed by hand, with its reason, or None.

    `since` is when it started, in microseconds since the epoch: nobody killed it before.
    """
    latest = (
        select(marks)
        .where(marks.c.at >= since, marks.c.kind == "kill_task", marks.c.subject == task_id)
        .order_by(marks.c.at.desc())
        .limit(1)
    )
    found = fetch_all(connection, latest, StoredAnnotation, json={"data"})
    return found[0] if found else None
