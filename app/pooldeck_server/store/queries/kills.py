"""Why a task was killed by hand, as somebody gave it."""

from sqlalchemy import Connection, func, select

from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.store.bulk import fetch
from pooldeck_server.store.queries.task_json import json_object
from pooldeck_server.store.tables import annotations


def kill_of(connection: Connection, task_id: str, since: int) -> StoredAnnotation | None:
    """Return the note of the latest time that a task was killed by hand, or None.

    Args:
        connection: Reads.
        task_id: The task's id.
        since: When it started, in microseconds since the epoch: nobody killed it before.
    """
    latest = (
        select(annotations)
        .where(
            annotations.c.at >= since,
            annotations.c.kind == "kill_task",
            annotations.c.subject == task_id,
        )
        .order_by(annotations.c.at.desc())
        .limit(1)
        .subquery()
    )
    fields = {name: latest.c[name] for name in StoredAnnotation.__struct_fields__}
    note = json_object(fields | {"data": func.json(latest.c.data)})
    found = fetch(connection, select(func.json_group_array(note)), list[StoredAnnotation])
    return found[0] if found else None
