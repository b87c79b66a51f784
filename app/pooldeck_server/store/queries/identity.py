"""Which database this is, and what waits in it since it was copied."""

from sqlalchemy import Connection, func, or_, select

from pooldeck_server.domain.copies import Identity
from pooldeck_server.domain.tasks.filter import TaskRef
from pooldeck_server.store.bulk import fetch_all
from pooldeck_server.store.tables import identity as itself
from pooldeck_server.store.tables import is_queued, is_scheduled, tasks

_waits = or_(is_queued, is_scheduled)


def identity(connection: Connection) -> Identity:
    (found,) = fetch_all(connection, select(itself), Identity)
    return found


def waiting_through(connection: Connection, through: int, limit: int) -> list[TaskRef]:
    """Return up to `limit` tasks that wait, of those numbered up to `through`."""
    columns = [tasks.c[name] for name in TaskRef.__struct_fields__]
    found = select(*columns).where(_waits, tasks.c.seq <= through).limit(limit)
    return [TaskRef(*row) for row in connection.execute(found)]


def count_waiting_through(connection: Connection, through: int) -> int:
    """Return how many tasks wait, of those numbered up to `through`."""
    counted = select(func.count()).select_from(tasks).where(_waits, tasks.c.seq <= through)
    return connection.execute(counted).scalar_one()
