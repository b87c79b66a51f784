"""Which tasks fit a filter, by their end or by how long they ran: the latest or longest first."""

from typing import Any, Final, NamedTuple

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, Select, literal, select, tuple_

from pooldeck_server.domain.tasks.filter import Sort, TaskFilter
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.store.queries.index_plan import (
    AFTER_ALL,
    Condition,
    SeqSpan,
    Walk,
    checks,
    newest_first,
    submitted,
    unindexed,
)
from pooldeck_server.store.queries.search import FEW, SCAN_LIMIT, holds_few, way
from pooldeck_server.store.queries.text import contains
from pooldeck_server.store.tables import is_slow, tasks

_COLUMNS: Final = {
    Sort.FINISHED: (tasks.c.finished_at, tasks.c.finished_at.is_not(None)),
    Sort.RUN: (tasks.c.run_seconds, is_slow),
}
"""What a list goes by, and the condition of the index that holds it."""


class SortPosition(NamedTuple):
    """A task's place in such a list: its end (microseconds) or run (seconds), and its number."""

    value: float
    seq: int


_FIRST: Final = SortPosition(1e300, AFTER_ALL)
_LAST: Final = SortPosition(0, 0)


class Ordered(NamedTuple):
    """The numbers that were found, in the order of the list, and after which place to go on."""

    seqs: list[int]
    next: SortPosition | None  # None: there are no more


def ordered(
    connection: Connection,
    wanted: TaskFilter,
    sort: Sort,
    after: SortPosition | None,
    *,
    limit: int,
    scan_limit: int = SCAN_LIMIT,
) -> Ordered:
    """Return up to `limit` tasks that fit the filter and stand after a place.

    What a filter holds is sorted, if that is little; else the search goes along the index of the
    list, and ends after `scan_limit` tasks: it may then have found few or none, and still say where
    to go on.
    """
    if wanted == TaskFilter():
        return _found(connection, _listed(sort, after), limit, None)
    ended = _that_ended(wanted)
    if ended is None:
        return Ordered([], None)
    span, few = submitted(connection, ended), min(FEW, scan_limit)
    walk = way(connection, ended, span, few)
    if not walk.lanes:
        return Ordered([], None)
    if holds_few(connection, walk, span, few):
        return _found(connection, _sorted(walk, span, sort, after), limit, None)
    until = connection.execute(_listed(sort, after).limit(1).offset(few - 1)).one_or_none()
    end = None if until is None else SortPosition(until.value, until.seq)
    fitting = _listed(sort, after, end).where(*_conditions(ended, span))
    return _found(connection, fitting, limit, end)


def _that_ended(wanted: TaskFilter) -> TaskFilter | None:
    """Return the filter for those that have ended; None if it allows none of them.

    Where it names no states, the final ones are named only if counters can tell them apart.
    """
    if not (wanted.states or wanted.functions or wanted.pools):
        return wanted
    states = tuple(sorted(FINAL.intersection(wanted.states or State)))
    return replace(wanted, states=states) if states else None


def _listed(
    sort: Sort, after: SortPosition | None, until: SortPosition | None = None
) -> Select[Any]:
    """Return the list after a place and up to another, as its index holds it."""
    column, is_listed = _COLUMNS[sort]
    return _ordered(column, after or _FIRST, until or _LAST).where(is_listed)


def _ordered(column: ColumnElement[Any], after: SortPosition, until: SortPosition) -> Select[Any]:
    place = tuple_(unindexed(column), unindexed(tasks.c.seq))
    return (
        select(column.label("value"), tasks.c.seq)
        # Of several bounds on one side, SQLite takes any; those of BETWEEN it takes together.
        .where(column.between(until.value, after.value))
        .where(place < _as_sql(after), place >= _as_sql(until))
        .order_by(column.desc(), tasks.c.seq.desc())
    )


def _as_sql(place: SortPosition) -> ColumnElement[Any]:
    return tuple_(literal(place.value), literal(place.seq))


def _sorted(walk: Walk, span: SeqSpan, sort: Sort, after: SortPosition | None) -> Select[Any]:
    """Return what the walk finds, in the order of the list, without the list's own index."""
    column, is_listed = _COLUMNS[sort]
    held = newest_first([lane.between(*span, walk.rest) for lane in walk.lanes]).subquery()
    return _ordered(unindexed(column), after or _FIRST, _LAST).where(
        tasks.c.seq.in_(select(held.c.seq)), unindexed(is_listed)
    )


def _conditions(wanted: TaskFilter, span: SeqSpan) -> tuple[Condition, ...]:
    number = unindexed(tasks.c.seq)
    text = () if wanted.text is None else (contains(wanted.text),)
    return (*checks(wanted).values(), *text, number >= span.low, number < span.high)


def _found(
    connection: Connection, query: Select[Any], limit: int, end: SortPosition | None
) -> Ordered:
    """Return the first of `query`; `end` is where it was cut."""
    places = [SortPosition(*row) for row in connection.execute(query.limit(limit + 1))]
    seqs = [place.seq for place in places[:limit]]
    return Ordered(seqs, places[limit - 1] if len(places) > limit else end)
