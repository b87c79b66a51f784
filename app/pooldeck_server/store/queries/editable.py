"""What an edit asks of a task."""

from msgspec.structs import replace
from sqlalchemy import Connection, select

from pooldeck_server.domain.tasks.edits import EditableTask
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.store.tables import edges, links, tasks

_COLUMNS = [tasks.c[name] for name in EditableTask.__struct_fields__ if name in tasks.c]


def editable(connection: Connection, task_id: str) -> EditableTask | None:
    """Return a task as an edit finds it, with its arguments in full; None if there is none."""
    found = connection.execute(select(*_COLUMNS).where(tasks.c.id == task_id)).mappings().first()
    if found is None:
        return None
    task = EditableTask(**{**found, "state": State(found["state"])})
    if not task.is_awaiting:
        return task
    names = connection.scalars(select(edges.c.name).where(edges.c.seq == task.seq))
    each = connection.scalar(select(links.c.each).where(links.c.seq == task.seq))
    return replace(task, needs=tuple(names), is_fan=each is not None)
