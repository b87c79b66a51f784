"""How long the runs of one function took over a time, from the stretches of the history."""

from collections import defaultdict
from typing import Final

from sqlalchemy import Connection, select

from pooldeck_server.domain.clock import SECOND
from pooldeck_server.domain.measurements.histograms import from_text
from pooldeck_server.domain.measurements.run_times import RunTimes, RunTimesPoint
from pooldeck_server.domain.pools.annotations import OF_FUNCTIONS, StoredAnnotation
from pooldeck_server.domain.pools.history import ChartRequest
from pooldeck_server.store.bulk import fetch, json_rows
from pooldeck_server.store.queries.annotations import annotations
from pooldeck_server.store.queries.history import points_of, spans_of
from pooldeck_server.store.tables import flows

_MARKS: Final = 400  # annotations that are looked through
_OF_SERVER: Final = frozenset({"start", "restored"})
_OF_POOLS: Final = frozenset({"restart", "resize", "pause", "resume", "drain", "broken"})


def run_times(connection: Connection, function: str, pool: str, period: int, now: int) -> RunTimes:
    """Return the run times of a function, up to the last stretch that has ended.

    Args:
        connection: A reader's.
        function: Its name.
        pool: Where it runs; what was done to that pool is marked.
        period: Seconds, one of `STEPS`.
        now: Microseconds since the epoch.
    """
    wanted = ChartRequest("run_p50", period, functions=(function,))
    points = points_of(connection, wanted, now // SECOND)
    ended: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for span in spans_of(connection, points):
        c = flows.c
        whole = c.succeeded + c.failed + c.cancelled + c.lost
        query = select(json_rows((c.at, whole, c.failed + c.lost, c.run)))
        among = query.where(*span.among(flows), c.function == function)
        for at, number, failed, run in fetch(connection, among, list[tuple[int, int, int, str]]):
            sums = ended[at // wanted.step * wanted.step]
            sums[0] += number
            sums[1] += failed
            sums[2] += from_text(run)
    return RunTimes(
        period=period,
        step=wanted.step,
        since=points.start,
        until=points.stop,
        points=tuple(RunTimesPoint(at, *ended[at]) for at in sorted(ended) if ended[at][0]),
        marks=_marks(connection, function, pool, points),
    )


def _marks(
    connection: Connection, function: str, pool: str, points: range
) -> tuple[StoredAnnotation, ...]:
    found = annotations(connection, points.start * SECOND, points.stop * SECOND, limit=_MARKS)
    return tuple(each for each in reversed(found) if _concerns(each, function, pool))


def _concerns(mark: StoredAnnotation, function: str, pool: str) -> bool:
    """Tell whether something that was done or happened may show in how long a function runs."""
    if mark.kind in OF_FUNCTIONS or mark.kind == "placed":
        return mark.subject == function
    return mark.kind in _OF_SERVER or (mark.kind in _OF_POOLS and mark.pool == pool)
