"""The latest stretches of history, as they were measured."""

from collections import defaultdict
from typing import TypeVar

from msgspec import Struct
from sqlalchemy import Connection, Table, select

from pooldeck_server.domain.pools.history import STRETCH, Flow, PoolSample, Stretch
from pooldeck_server.store.bulk import fetch, json_rows
from pooldeck_server.store.tables import flows, samples

T = TypeVar("T", bound=Struct)


def stretches(connection: Connection, since: int, until: int) -> list[Stretch]:
    """Return the stretches from `since` until before `until`, the oldest first.

    Both are seconds since the epoch. A stretch in which no server ran is empty.
    """
    sampled: defaultdict[int, list[PoolSample]] = defaultdict(list)
    for sample in _rows(connection, samples, PoolSample, since):
        sampled[sample.at].append(sample)
    flowed: defaultdict[int, list[Flow]] = defaultdict(list)
    for flow in _rows(connection, flows, Flow, since):
        flowed[flow.at].append(flow)
    first = since // STRETCH * STRETCH
    return [Stretch(tuple(sampled[at]), tuple(flowed[at])) for at in range(first, until, STRETCH)]


def _rows(connection: Connection, table: Table, row: type[T], since: int) -> list[T]:
    columns = [table.c[name] for name in row.__struct_fields__]
    query = select(json_rows(columns)).where(
        table.c.seconds == STRETCH, table.c.at >= since // STRETCH * STRETCH
    )
    return fetch(connection, query, list[row])  # type: ignore[valid-type]
