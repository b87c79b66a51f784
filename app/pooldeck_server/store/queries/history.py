"""The history of pools: a series over time for a chart, and the latest stretches.

Each point is a stretch as long as the chart's step, which is stored as such. Where the last of
these has not ended yet, the shorter stretches since then make up the rest. A point at which nothing
was sampled is one at which no server ran.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias, TypeVar

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Table, distinct, func, literal, select

from pooldeck_server.domain.clock import SECOND
from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.pools.history import (
    COUNTED,
    KEPT,
    STRETCH,
    UNITS,
    Chart,
    ChartLine,
    ChartRequest,
    Flow,
    PoolSample,
    Stretch,
)
from pooldeck_server.store.bulk import fetch, fetch_all, json_rows
from pooldeck_server.store.queries.annotations import annotations
from pooldeck_server.store.queries.measures import MEASURES, Amount, Measure
from pooldeck_server.store.tables import flows, samples

T = TypeVar("T", bound=Struct)
_LINES: Final = 10
_OTHERS: Final = "others"
_ALL: Final = "all"
_MARKS: Final = 200

_Row: TypeAlias = tuple[int, str, list[Any]]
"""Where a stretch begins, the line that it belongs to, and what it adds to that."""

_Amounts: TypeAlias = Mapping[str, Mapping[int, Amount]]
"""By the names of lines, and by where points begin."""


class Span(Struct, frozen=True):
    """The stretches of a length that begin from `since` until before `until`."""

    seconds: int
    since: int
    until: int

    def among(self, table: Table) -> Iterator[ColumnElement[bool]]:
        yield table.c.seconds == self.seconds
        yield table.c.at >= self.since
        yield table.c.at < self.until


def history(connection: Connection, wanted: ChartRequest, now: int) -> Chart:
    """Return a series over time, up to the last stretch that has ended.

    `wanted` has been checked; `now` is microseconds since the epoch.
    """
    points = points_of(connection, wanted, now // SECOND)
    spans = spans_of(connection, points)
    covered = covered_by(connection, spans, wanted.step)
    how = MEASURES[wanted.series]
    rows = [row for span in spans for row in _rows(connection, wanted, how, span)]
    amounts = _amounts(_folded(rows, how), wanted, how)
    return Chart(
        series=wanted.series,
        unit=UNITS[wanted.series],
        period=wanted.period,
        step=wanted.step,
        at=tuple(points),
        lines=tuple(
            ChartLine(name, tuple(_values(points, amounts.get(name, {}), covered, how)))
            for name in _names(wanted, amounts)
        ),
        annotations=tuple(_marks(connection, wanted, points)),
    )


# Which stretches.


def points_of(connection: Connection, wanted: ChartRequest, now: int) -> range:
    """Return where the points of a chart begin; the last one holds the last stretch there is."""
    ended = now // STRETCH * STRETCH
    newest = _newest(connection, STRETCH, 0, ended + STRETCH)
    last = max(newest or 0, ended - 2 * STRETCH)  # the last to end may not be written yet
    end = (last // wanted.step + 1) * wanted.step
    return range(end - wanted.period, end, wanted.step)


def spans_of(connection: Connection, points: range) -> list[Span]:
    """Return which stretches make up the points: the longest that there are."""
    spans = []
    since = points.start
    for seconds in sorted(KEPT, reverse=True):
        if seconds <= points.step:
            newest = _newest(connection, seconds, since, points.stop)
            if newest is not None:
                spans.append(Span(seconds, since, newest + seconds))
                since = newest + seconds
    return spans


def _newest(connection: Connection, seconds: int, since: int, until: int) -> int | None:
    newest = select(func.max(samples.c.at)).where(*Span(seconds, since, until).among(samples))
    found: int | None = connection.execute(newest).scalar_one()
    return found


def covered_by(connection: Connection, spans: Iterable[Span], step: int) -> Mapping[int, int]:
    """Return for how many seconds of each point, by its beginning, a server ran."""
    covered: Counter[int] = Counter()
    for span in spans:
        begun = func.json_group_array(distinct(samples.c.at))
        for at in fetch(connection, select(begun).where(*span.among(samples)), list[int]):
            covered[at // step * step] += span.seconds
    return covered


# What their rows say.


def _rows(connection: Connection, wanted: ChartRequest, how: Measure, span: Span) -> list[_Row]:
    table = how.table
    line = table.c[wanted.by] if wanted.by in {"pool", "function"} else literal(_ALL)
    query = select(json_rows((table.c.at, line, func.json_array(*how.amount))))
    among = query.where(*span.among(table), *_conditions(table, wanted))
    return fetch(connection, among, list[_Row])


def _conditions(table: Table, wanted: ChartRequest) -> Iterator[ColumnElement[bool]]:
    if wanted.pools:
        yield table.c.pool.in_(wanted.pools)
    if wanted.functions:
        yield table.c.function.in_(wanted.functions)


def _folded(rows: list[_Row], how: Measure) -> list[_Row]:
    """Return the rows with those of the lines that weigh least as rows of one line."""
    weights: defaultdict[str, float] = defaultdict(float)
    for _, line, amount in rows:
        weights[line] += how.weight(amount)
    if len(weights) <= _LINES:
        return rows
    shown = set(sorted(weights, key=weights.__getitem__, reverse=True)[: _LINES - 1])
    return [(at, line if line in shown else _OTHERS, amount) for at, line, amount in rows]


# What a line shows.


def _amounts(rows: Iterable[_Row], wanted: ChartRequest, how: Measure) -> _Amounts:
    """Return what belongs to each point of each line."""
    found: defaultdict[str, defaultdict[int, list[Amount]]] = defaultdict(lambda: defaultdict(list))
    for at, line, amount in rows:
        found[line][at // wanted.step * wanted.step].append(amount)
    added = {
        line: {point: how.added(amounts) for point, amounts in points.items()}
        for line, points in found.items()
    }
    return _by_state(added.get(_ALL, {}), wanted) if wanted.by == "state" else added


def _by_state(ends: Mapping[int, Amount], wanted: ChartRequest) -> _Amounts:
    """Return a line for each state from amounts that have a number for each."""
    return {
        state: {point: [amount[place]] for point, amount in ends.items()}
        for place, state in enumerate(COUNTED[wanted.series])
    }


def _names(wanted: ChartRequest, amounts: _Amounts) -> list[str]:
    """Return the names of the lines in their order: "others" is the last."""
    match wanted.by:
        case "none":
            return [_ALL]
        case "state":
            return list(COUNTED[wanted.series])
        case _:
            return sorted(amounts, key=lambda name: (name == _OTHERS, name))


def _values(
    points: range, amounts: Mapping[int, Amount], covered: Mapping[int, int], how: Measure
) -> Iterator[float | None]:
    for point in points:
        seconds = covered.get(point)
        if not seconds:
            yield None
        elif point in amounts:
            yield how.value(amounts[point], seconds)
        else:
            yield how.missing


def _marks(connection: Connection, wanted: ChartRequest, points: range) -> list[StoredAnnotation]:
    """Return what was done and what happened within the chart, the oldest first."""
    pool = wanted.pools[0] if len(wanted.pools) == 1 else None
    since, until = points.start * SECOND, points.stop * SECOND
    found = annotations(connection, since, until, pool, _MARKS)
    return found[::-1]


# The stretches themselves.


def stretches(connection: Connection, since: int, until: int) -> list[Stretch]:
    """Return the stretches from `since` until before `until`, the oldest first.

    Both are seconds since the epoch. A stretch in which no server ran is empty.
    """
    sampled: defaultdict[int, list[PoolSample]] = defaultdict(list)
    for sample in _stretched(connection, samples, PoolSample, since):
        sampled[sample.at].append(sample)
    flowed: defaultdict[int, list[Flow]] = defaultdict(list)
    for flow in _stretched(connection, flows, Flow, since):
        flowed[flow.at].append(flow)
    first = since // STRETCH * STRETCH
    return [Stretch(tuple(sampled[at]), tuple(flowed[at])) for at in range(first, until, STRETCH)]


def _stretched(connection: Connection, table: Table, row: type[T], since: int) -> list[T]:
    wanted = select(table).where(
        table.c.seconds == STRETCH, table.c.at >= since // STRETCH * STRETCH
    )
    return fetch_all(connection, wanted, row)
