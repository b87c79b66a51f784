"""How long the tasks of each function waited and ran lately, from the histograms of the history."""

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from pooldeck_server.domain.measurements.figures import Percentiles, Spread
from pooldeck_server.domain.measurements.histograms import from_text, percentile
from pooldeck_server.domain.pools.history import STRETCH
from pooldeck_server.store.bulk import fetch, json_rows
from pooldeck_server.store.tables import flows

_MINUTE = 60


def spreads(connection: Connection, since: int) -> dict[str, Spread]:
    """Return the spread of waits and runs of each function that had any end.

    Args:
        connection: To read from.
        since: From then on, in seconds since the epoch.
    """
    sums = (
        select(
            flows.c.function,
            func.group_concat(func.nullif(flows.c.wait, "")).label("wait"),
            func.group_concat(func.nullif(flows.c.run, "")).label("run"),
        )
        .where(_lately(connection, since))
        .group_by(flows.c.function)
        .subquery()
    )
    found = fetch(connection, select(json_rows(sums.c)), list[tuple[str, str | None, str | None]])
    return {
        function: Spread(_percentiles(wait), _percentiles(run)) for function, wait, run in found
    }


def _lately(connection: Connection, since: int) -> ColumnElement[bool]:
    """Return the condition for whole minutes, and for the shorter stretches after the last one."""
    minutes = and_(flows.c.seconds == _MINUTE, flows.c.at >= since)
    newest = connection.execute(select(func.max(flows.c.at)).where(minutes)).scalar_one()
    rest = since if newest is None else newest + _MINUTE
    return or_(minutes, and_(flows.c.seconds == STRETCH, flows.c.at >= rest))


def _percentiles(texts: str | None) -> Percentiles | None:
    histogram = from_text(texts or "")
    p50, p95 = percentile(histogram, 0.5), percentile(histogram, 0.95)
    return None if p50 is None or p95 is None else Percentiles(p50, p95)
