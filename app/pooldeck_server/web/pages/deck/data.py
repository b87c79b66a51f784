"""The data of the deck's chart, read in one transaction."""

from msgspec.structs import replace
from sqlalchemy import Connection

from pooldeck_server.domain.clock import SECOND
from pooldeck_server.domain.pools.history import Chart, ChartRequest
from pooldeck_server.store import queries

_MARKS = 200


def read(connection: Connection, wanted: ChartRequest, pool: str | None, now: int) -> Chart:
    found = queries.history(connection, wanted, now)
    since = found.at[0] * SECOND
    return replace(
        found, annotations=tuple(queries.annotations(connection, since, None, pool, _MARKS))
    )
