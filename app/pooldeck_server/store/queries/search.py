"""Which tasks fit a filter, newest first: some at a time, each time with bounded work."""

from typing import NamedTuple

from sqlalchemy import Connection, func, select

from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.store.bulk import fetch
from pooldeck_server.store.queries.index_plan import (
    Numbers,
    SeqSpan,
    Walk,
    is_counted_only,
    newest_first,
    plan,
    reach,
    submitted,
)
from pooldeck_server.store.queries.text import contains, text_walk
from pooldeck_server.store.tables import tasks as table

SCAN_LIMIT = 50_000
"""Rows that one search looks at where no index can tell which of them fit."""

LOOKUPS = 10_000
"""Rows of those that one search fetches at places that an index names: each is dearer."""

FEW = 5_000
"""Tasks of which each can be looked at: what a filter holds if it holds no more."""


class Found(NamedTuple):
    """The numbers that a search found, highest first, and the one before which to go on."""

    seqs: list[int]
    next: int | None  # None: there are no more


def search(
    connection: Connection,
    wanted: TaskFilter,
    before: int,
    limit: int,
    scan_limit: int = SCAN_LIMIT,
) -> Found:
    """Return up to `limit` tasks that fit the filter and were submitted before number `before`.

    Where rows have to be looked at one by one (text that is not in an index, or fields that no
    index holds together), a search ends after `scan_limit` of them: it may then have found few
    tasks or none, and still say where to go on.
    """
    span = submitted(connection, wanted).within(SeqSpan(high=before))
    if not is_counted_only(wanted):
        span = span.within(reach(connection, wanted))
    walk = way(connection, wanted, span, scan_limit)
    looked_at = _cut(connection, walk, span, scan_limit)
    seqs = _numbers(connection, walk, looked_at, limit + 1)
    if len(seqs) > limit:
        return Found(seqs[:limit], seqs[limit - 1])
    return Found(seqs, looked_at.low if looked_at.low > span.low else None)


def way(connection: Connection, wanted: TaskFilter, span: SeqSpan, scan_limit: int) -> Walk:
    """Return the walk to the tasks of a filter within `span`.

    With a text, it goes either along what the other fields hold, if that is little, or along what
    the text is found in.
    """
    walk = plan(connection, wanted)
    if wanted.text is None:
        return walk
    with_text = Walk(walk.indexed, (*walk.rest, contains(wanted.text)), walk.scanned)
    if holds_few(connection, walk, span, min(FEW, scan_limit)):
        return with_text
    return text_walk(connection, wanted, wanted.text) or with_text


def holds_few(connection: Connection, walk: Walk, span: SeqSpan, few: int) -> bool:
    """Tell whether a walk meets at most `few` tasks within `span`."""
    if walk.scanned is not None:
        begin = max(span.low, walk.scanned.low)
        few -= max(0, min(span.high, _last(connection) + 1) - begin)
    if not walk.indexed or few < 0:
        return few >= 0
    met = met_by(walk, span).limit(few + 1).subquery()
    return (connection.scalar(select(func.count()).select_from(met)) or 0) <= few


def met_by(walk: Walk, span: SeqSpan) -> Numbers:
    """Return the tasks that a walk along indexes meets, before what is left is checked."""
    return newest_first([lane.between(*span) for lane in walk.indexed])


def _numbers(connection: Connection, walk: Walk, span: SeqSpan, limit: int) -> list[int]:
    if not walk.lanes:
        return []
    lanes = [lane.between(*span, walk.rest) for lane in walk.lanes]
    newest = newest_first(lanes).limit(limit).subquery()
    found = fetch(connection, select(func.json_group_array(newest.c.seq)), list[int])
    return sorted(found, reverse=True)


def _cut(connection: Connection, walk: Walk, span: SeqSpan, scan_limit: int) -> SeqSpan:
    """Return the newer part of `span`, in which the walk looks at about `scan_limit` tasks."""
    if walk.scanned is not None and (walk.rest or walk.scanned.conditions):
        oldest = min(span.high, _last(connection) + 1) - scan_limit
        if oldest > walk.scanned.low:
            span = span.within(SeqSpan(low=oldest))
    if walk.indexed and walk.rest:
        span = span.within(
            SeqSpan(low=_at(connection, met_by(walk, span), min(scan_limit, LOOKUPS)))
        )
    return span


def _at(connection: Connection, numbers: Numbers, place: int) -> int:
    return connection.scalar(numbers.limit(1).offset(place - 1)) or 0


def _last(connection: Connection) -> int:
    return connection.scalar(select(func.max(table.c.seq))) or 0
