"""The latest annotations of the pools, read in one transaction."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection

from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.store import queries

LATELY: Final = 8
"""How many things are listed that were done to a pool."""

_READ: Final = 4 * LATELY  # annotations of a pool: some are about functions of other pools


def read(connection: Connection, pools: Iterable[str]) -> dict[str, list[StoredAnnotation]]:
    return {pool: queries.annotations(connection, pool=pool, limit=_READ) for pool in pools}
