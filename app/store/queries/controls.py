"""What outlives a run of the server beside tasks: incidents, holds, settings by hand, the runs."""

from typing import TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Table, func, select
from sqlalchemy import true as always

from app.domain.controls import Hold, PoolControl, ServerRun
from app.domain.incidents import Incident, IncidentPage
from app.store.bulk import fetch, json_rows
from app.store.queries.cursors import read_cursor, write_cursor
from app.store.queries.shown import json_object
from app.store.tables import controls as set_by_hand
from app.store.tables import holds as on_hold
from app.store.tables import incidents as deaths
from app.store.tables import runs as server_runs

T = TypeVar("T", bound=Struct)


def incidents(
    connection: Connection, limit: int = 50, cursor: str | None = None, pool: str | None = None
) -> IncidentPage:
    """Return up to `limit` incidents, those of one pool if it is named, from `cursor` on.

    Raises:
        InvalidRequest: If `cursor` is none that a page gave.
    """
    newest = (
        select(deaths.c.n, deaths.c.incident)
        .where(
            deaths.c.n < read_cursor(cursor), always() if pool is None else deaths.c.pool == pool
        )
        .order_by(deaths.c.n.desc())
        .limit(limit + 1)
        .subquery()
    )
    query = select(json_rows((newest.c.n, func.json(newest.c.incident))))
    rows = fetch(connection, query, list[tuple[int, Incident]])
    following = rows[limit - 1][0] if len(rows) > limit else None
    return IncidentPage(tuple(item for _, item in rows[:limit]), write_cursor(following))


def incident(connection: Connection, incident_id: str) -> Incident | None:
    """Return the incident of that id, or None."""
    query = select(deaths.c.incident).where(deaths.c.id == incident_id)
    found = connection.execute(query).scalar_one_or_none()
    return None if found is None else msgspec.json.decode(found, type=Incident)


def incident_counts(connection: Connection) -> dict[str, int]:
    """Return how many incidents are kept of each pool that has any."""
    counted = select(deaths.c.pool, func.count().label("n")).group_by(deaths.c.pool).subquery()
    query = select(func.json_group_object(counted.c.pool, counted.c.n))
    return fetch(connection, query, dict[str, int])


def holds(connection: Connection) -> list[Hold]:
    """Return the functions on hold, by name."""
    return _all(connection, on_hold, Hold)


def controls(connection: Connection) -> list[PoolControl]:
    """Return what was set by hand for pools, by name; also for pools that are gone."""
    return _all(connection, set_by_hand, PoolControl)


def _all(connection: Connection, table: Table, struct: type[T]) -> list[T]:
    """Return all rows of `table`, whose columns are the fields of `struct`, by their key."""
    rows = select(table).order_by(*table.primary_key).subquery()
    row = json_object(dict(rows.c.items()))
    return fetch(connection, select(func.json_group_array(row)), list[struct])  # type: ignore[valid-type]


def runs(connection: Connection, limit: int = 50) -> list[ServerRun]:
    """Return up to `limit` runs of the server, the latest first."""
    latest = select(server_runs).order_by(server_runs.c.n.desc()).limit(limit).subquery()
    fields = {name: latest.c[name] for name in ServerRun.__struct_fields__}
    run = json_object(fields | {"report": func.json(latest.c.report)})
    return fetch(connection, select(func.json_group_array(run)), list[ServerRun])
