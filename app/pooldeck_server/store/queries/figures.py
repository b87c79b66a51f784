"""Figures: what the counters and the activity say, and the spread of the latest runs."""

from collections import defaultdict

from msgspec import Struct
from sqlalchemy import Connection, func, select

from pooldeck_server.domain.measurements.figures import (
    Activity,
    Count,
    Durations,
    FunctionFigures,
    Percentiles,
)
from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.store.bulk import fetch, fetch_all, json_rows
from pooldeck_server.store.queries.index_plan import AFTER_ALL, newest_first, plan
from pooldeck_server.store.tables import activity as minutes
from pooldeck_server.store.tables import counters, tasks

_RAN = (State.SUCCEEDED, State.FAILED)


def counts(connection: Connection) -> list[Count]:
    """Return how many tasks are kept, by pool, function and state; zeros are left out."""
    return fetch_all(connection, select(counters).where(counters.c.n > 0), Count)


def activity(connection: Connection, since_minute: int) -> list[Activity]:
    """Return what ended from `since_minute` (minutes since the epoch) on, the oldest first."""
    return fetch_all(connection, select(minutes).where(minutes.c.minute >= since_minute), Activity)


def last_minutes(connection: Connection) -> dict[str, int]:
    """Return by function in which minute (since the epoch) one of its tasks ended last."""
    latest = select(minutes.c.function, func.max(minutes.c.minute)).group_by(minutes.c.function)
    return dict(connection.execute(latest).tuples().all())


def durations(connection: Connection, function: str, latest: int = 200) -> Durations:
    """Return how long the `latest` tasks of `function` that ended by themselves waited and ran."""
    walk = plan(connection, TaskFilter(states=_RAN, functions=(function,)))
    if not walk.lanes:
        return Durations()
    found = newest_first([lane.between(0, AFTER_ALL) for lane in walk.lanes]).limit(latest)
    newest = found.subquery()
    pairs = select(json_rows((tasks.c.queued_seconds, tasks.c.run_seconds))).select_from(newest)
    rows = fetch(
        connection,
        pairs.join(tasks, tasks.c.seq == newest.c.seq),
        list[tuple[float | None, float | None]],
    )
    return Durations(len(rows), *(Percentiles.of(column) for column in zip(*rows, strict=True)))


class _Ended(Struct, frozen=True, array_like=True):
    """The activity of a function that ended in one way."""

    function: str
    state: State
    n: int
    wait_seconds: float
    run_seconds: float


def function_figures(connection: Connection, since_minute: int) -> list[FunctionFigures]:
    """Return the figures of each function that has any, by name.

    `counts` are of all tasks kept; the others of those that ended from `since_minute` (minutes
    since the epoch) on.
    """
    kept: defaultdict[str, dict[State, int]] = defaultdict(dict)
    for count in counts(connection):
        states = kept[count.function]
        states[count.state] = states.get(count.state, 0) + count.n
    ended: defaultdict[str, list[_Ended]] = defaultdict(list)
    for row in _ended(connection, since_minute):
        ended[row.function].append(row)
    return [
        FunctionFigures(
            function,
            kept[function],
            {row.state: row.n for row in ended[function]},
            sum(row.wait_seconds for row in ended[function]),
            sum(row.run_seconds for row in ended[function]),
        )
        for function in sorted(kept.keys() | ended.keys())
    ]


def _ended(connection: Connection, since_minute: int) -> list[_Ended]:
    sums = (
        select(
            minutes.c.function,
            minutes.c.state,
            *(
                func.sum(minutes.c[name]).label(name)
                for name in ("n", "wait_seconds", "run_seconds")
            ),
        )
        .where(minutes.c.minute >= since_minute)
        .group_by(minutes.c.function, minutes.c.state)
    )
    return fetch_all(connection, sums, _Ended)
