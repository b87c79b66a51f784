"""What is known of functions: their specs, where they are placed, what their runs took and cost."""

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    and_,
    func,
    or_,
    select,
    union_all,
)

from pooldeck.functions import FunctionSpec
from pooldeck_server.domain.functions.placements import Placement
from pooldeck_server.domain.measurements.figures import Percentiles, Spread
from pooldeck_server.domain.measurements.histograms import from_text, percentile
from pooldeck_server.domain.measurements.profiles import Profile
from pooldeck_server.domain.pools.history import STRETCH
from pooldeck_server.domain.tasks.attempt import LatestRun
from pooldeck_server.domain.tasks.states import FINAL
from pooldeck_server.store.bulk import fetch, fetch_all, json_rows
from pooldeck_server.store.tables import counters, flows, functions, tasks
from pooldeck_server.store.tables import placements as placed
from pooldeck_server.store.tables import profiles as measured

_spec = msgspec.json.Decoder(FunctionSpec)
_MINUTE: Final = 60  # seconds

_Lane: TypeAlias = Select[tuple[int]]
"""The numbers of the tasks of one function, pool and state: an index has them in their order."""


def catalogue(connection: Connection) -> list[FunctionSpec]:
    specs = connection.execute(select(functions.c.spec).order_by(functions.c.name))
    return [_spec.decode(spec) for spec in specs.scalars()]


def placements(connection: Connection) -> dict[str, Placement]:
    """Return where each function is that is elsewhere than where it started."""
    rows = connection.execute(select(placed.c.function, placed.c.reason)).all()
    return {function: Placement.from_json(reason) for function, reason in rows}


def profiles(connection: Connection) -> list[Profile]:
    kept = func.json_group_array(func.json(measured.c.profile))
    return fetch(connection, select(kept), list[Profile])


def latest_runs(
    connection: Connection, function: str, seq: int, newer: int = 20, together: int = 60
) -> list[LatestRun]:
    """Return how long tasks of `function` around the task `seq` ran, in order of submission.

    They are up to `newer` that came after it and, with those, up to `together`; that task is among
    them. Only those that ran and ended: fewer, where some were cancelled before they started.
    """
    lanes = _lanes(connection, function)
    if not lanes:
        return []
    later = _first(connection, [lane.where(tasks.c.seq > seq) for lane in lanes], newer)
    earlier = [lane.where(tasks.c.seq <= seq) for lane in lanes]
    seqs = later + _last(connection, earlier, together - len(later))
    ran = select(tasks).where(tasks.c.seq.in_(seqs), tasks.c.run_seconds.is_not(None))
    return sorted(fetch_all(connection, ran, LatestRun), key=lambda each: each.seq)


def _lanes(connection: Connection, function: str) -> Sequence[_Lane]:
    """Return the lanes that have tasks of `function` which ended."""
    found = select(counters.c.pool, counters.c.state).where(
        counters.c.function == function, counters.c.state.in_(FINAL), counters.c.n > 0
    )
    return [
        select(tasks.c.seq).where(
            tasks.c.function == function, tasks.c.pool == pool, tasks.c.state == state
        )
        for pool, state in connection.execute(found)
    ]


def _first(connection: Connection, lanes: Sequence[_Lane], limit: int) -> list[int]:
    found = _together(lane.order_by(tasks.c.seq).limit(limit) for lane in lanes)
    return list(connection.scalars(select(found.c.seq).order_by(found.c.seq).limit(limit)))


def _last(connection: Connection, lanes: Sequence[_Lane], limit: int) -> list[int]:
    found = _together(lane.order_by(tasks.c.seq.desc()).limit(limit) for lane in lanes)
    return list(connection.scalars(select(found.c.seq).order_by(found.c.seq.desc()).limit(limit)))


def _together(lanes: Iterable[_Lane]) -> Subquery:
    parts = [lane.subquery() for lane in lanes]  # SQLite limits a part of a union only in there
    return union_all(*(select(part.c.seq) for part in parts)).subquery()


def spreads(connection: Connection, since: int) -> dict[str, Spread]:
    """Return the spread of waits and runs of each function that had any end since then.

    It is that of the history's histograms; `since` is seconds since the epoch.
    """
    sums = (
        select(
            flows.c.function,
            func.group_concat(func.nullif(flows.c.wait, "")).label("wait"),
            func.group_concat(func.nullif(flows.c.run, "")).label("run"),
        )
        .where(_minutes_since(connection, since))
        .group_by(flows.c.function)
        .subquery()
    )
    found = fetch(connection, select(json_rows(sums.c)), list[tuple[str, str | None, str | None]])
    return {
        function: Spread(_percentiles(wait), _percentiles(run)) for function, wait, run in found
    }


def _minutes_since(connection: Connection, since: int) -> ColumnElement[bool]:
    """Return the condition for whole minutes, and for the shorter stretches after the last one."""
    minutes = and_(flows.c.seconds == _MINUTE, flows.c.at >= since)
    newest = connection.execute(select(func.max(flows.c.at)).where(minutes)).scalar_one()
    rest = since if newest is None else newest + _MINUTE
    return or_(minutes, and_(flows.c.seconds == STRETCH, flows.c.at >= rest))


def _percentiles(texts: str | None) -> Percentiles | None:
    histogram = from_text(texts or "")
    p50, p95 = percentile(histogram, 0.5), percentile(histogram, 0.95)
    return None if p50 is None or p95 is None else Percentiles(p50, p95)
