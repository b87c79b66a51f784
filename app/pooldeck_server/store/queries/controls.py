"""What outlives a run of the server beside tasks: holds, settings by hand, the runs."""

from typing import TypeVar

from msgspec import Struct
from sqlalchemy import Connection, Table, func, select

from pooldeck_server.domain.pools.controls import Hold, PoolControl, ServerRun
from pooldeck_server.store.bulk import fetch
from pooldeck_server.store.queries.task_json import json_object
from pooldeck_server.store.tables import controls as set_by_hand
from pooldeck_server.store.tables import holds as on_hold
from pooldeck_server.store.tables import runs as server_runs

T = TypeVar("T", bound=Struct)


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
