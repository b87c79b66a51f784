"""What outlives a run of the server beside tasks: holds, settings by hand, the runs."""

from sqlalchemy import Connection, select

from pooldeck_server.domain.notices import SeenNotice
from pooldeck_server.domain.pools.controls import Hold, PoolControl, ServerRun
from pooldeck_server.store.bulk import fetch_all
from pooldeck_server.store.tables import controls as set_by_hand
from pooldeck_server.store.tables import holds as on_hold
from pooldeck_server.store.tables import runs as server_runs
from pooldeck_server.store.tables import seen_notices as seen


def holds(connection: Connection) -> list[Hold]:
    return fetch_all(connection, select(on_hold).order_by(on_hold.c.function), Hold)


def seen_notices(connection: Connection) -> list[SeenNotice]:
    return fetch_all(connection, select(seen), SeenNotice)


def controls(connection: Connection) -> list[PoolControl]:
    return fetch_all(connection, select(set_by_hand).order_by(set_by_hand.c.name), PoolControl)


def runs(connection: Connection, limit: int = 50) -> list[ServerRun]:
    latest = select(server_runs).order_by(server_runs.c.n.desc()).limit(limit)
    return fetch_all(connection, latest, ServerRun, json={"report", "cut_off"})
