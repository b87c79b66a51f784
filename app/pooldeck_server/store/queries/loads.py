"""What each pool had to do lately, from the history of its stretches."""

from collections import defaultdict
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, Table, func, select

from pooldeck_server.domain.pools.history import STRETCH
from pooldeck_server.domain.pools.loads import PERIOD, WINDOW, LoadWindow, Passed, PoolLoad
from pooldeck_server.store.bulk import fetch, json_rows
from pooldeck_server.store.tables import flows, samples

_Key: TypeAlias = tuple[str, int]
"""A pool, and how many windows ago."""


def loads(connection: Connection) -> dict[str, PoolLoad]:
    """Return what each pool had to do in the hour before the last stretch, newest window first.

    A stretch goes out of the windows some seconds after it ended, when it is written.
    """
    newest = connection.execute(
        select(func.max(samples.c.at)).where(samples.c.seconds == STRETCH)
    ).scalar_one()
    if newest is None:
        return {}
    passed = _passed(connection, newest)
    found: defaultdict[str, list[LoadWindow]] = defaultdict(list)
    for pool, age, *gauges in _gauges(connection, newest):
        window: list[Any] = [*gauges, tuple(passed[pool, age])]
        found[pool].append(LoadWindow(*window))
    return {pool: PoolLoad(tuple(windows)) for pool, windows in found.items()}


def _gauges(connection: Connection, newest: int) -> list[Any]:
    means = ("slots", "busy", "queued", "voluntary", "involuntary")
    age = _age(samples, newest)
    rows = (
        select(
            samples.c.pool,
            age.label("age"),
            (func.count() * STRETCH).label("seconds"),
            func.max(samples.c.oldest_wait).label("oldest_wait"),
            *(func.avg(samples.c[name]).label(name) for name in means),
        )
        .where(*_lately(samples, newest))
        .group_by(samples.c.pool, age)
        .order_by(samples.c.pool, age)
        .subquery()
    )
    return fetch(connection, select(json_rows(rows.c)), list[Any])


def _passed(connection: Connection, newest: int) -> dict[_Key, list[Passed]]:
    ran = flows.c.succeeded + flows.c.failed + flows.c.lost
    age = _age(flows, newest)
    rows = (
        select(
            flows.c.pool,
            age.label("age"),
            flows.c.function,
            func.sum(flows.c.submitted).label("submitted"),
            func.sum(ran).label("ran"),
        )
        .where(*_lately(flows, newest))
        .group_by(flows.c.pool, age, flows.c.function)
        .subquery()
    )
    found: defaultdict[_Key, list[Passed]] = defaultdict(list)
    for pool, ago, *counts in fetch(connection, select(json_rows(rows.c)), list[Any]):
        found[pool, ago].append(Passed(*counts))
    return found


def _age(table: Table, newest: int) -> ColumnElement[int]:
    return (newest - table.c.at) // WINDOW


def _lately(table: Table, newest: int) -> tuple[ColumnElement[bool], ...]:
    return table.c.seconds == STRETCH, table.c.at > newest - PERIOD, table.c.at <= newest
