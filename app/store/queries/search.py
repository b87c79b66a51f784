"""Which tasks fit a filter, newest first: some at a time, each time with bounded work."""

import re
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, or_, select

from app.domain.ids import first_id_at
from app.domain.tasks import TaskFilter
from app.store.bulk import fetch
from app.store.queries.walk import AFTER_ALL, Walk, newest_first, plan
from app.store.tables import tasks as table

SCAN_LIMIT = 50_000
"""Rows that one search looks at where no index can tell which of them fit."""

_START_OF_ID = re.compile(r"[0-9a-f]{8}[0-9a-f-]{0,28}")


class Found(NamedTuple):
    """The numbers that a search found, highest first, and the one before which to go on."""

    seqs: list[int]
    next: int | None  # None: there are no more


class _Span(NamedTuple):
    """The numbers from `low` up to but not including `high`."""

    low: int = 0
    high: int = AFTER_ALL

    def within(self, other: "_Span") -> "_Span":
        return _Span(max(self.low, other.low), min(self.high, other.high))


def search(
    connection: Connection,
    wanted: TaskFilter,
    before: int,
    limit: int,
    scan_limit: int = SCAN_LIMIT,
) -> Found:
    """Return up to `limit` tasks that fit the filter and were submitted before number `before`.

    Where rows have to be looked at one by one (text, or fields that no index holds together), a
    search ends after `scan_limit` of them: it may then have found few tasks or none, and still
    say where to go on.
    """
    span = _submitted(connection, wanted).within(_Span(high=before))
    named = _with_id(connection, wanted.text)
    text = None if named or not wanted.text else _contains(wanted.text)
    walk = plan(connection, wanted, text)
    return _newest(connection, walk, span.within(named or _Span()), limit, scan_limit)


def _newest(connection: Connection, walk: Walk, span: _Span, limit: int, scan_limit: int) -> Found:
    looked_at = _cut(connection, walk, span, scan_limit) if walk.rest else span
    seqs = _numbers(connection, walk, looked_at, limit + 1)
    if len(seqs) > limit:
        return Found(seqs[:limit], seqs[limit - 1])
    return Found(seqs, looked_at.low if looked_at.low > span.low else None)


def _numbers(connection: Connection, walk: Walk, span: _Span, limit: int) -> list[int]:
    if not walk.lanes:
        return []
    lanes = [lane.between(*span, walk.rest) for lane in walk.lanes]
    newest = newest_first(lanes).limit(limit).subquery()
    found = fetch(connection, select(func.json_group_array(newest.c.seq)), list[int])
    return sorted(found, reverse=True)


def _cut(connection: Connection, walk: Walk, span: _Span, scan_limit: int) -> _Span:
    """Return the newer part of `span`, in which the walk meets no more than `scan_limit` tasks."""
    if walk.is_everywhere:
        last = connection.execute(select(func.max(table.c.seq))).scalar_one() or 0
        return span.within(_Span(low=min(span.high, last + 1) - scan_limit))
    lanes = [lane.between(*span) for lane in walk.lanes]
    if not lanes:
        return span
    oldest = newest_first(lanes).limit(1).offset(scan_limit - 1)
    return span.within(_Span(low=connection.scalar(oldest) or 0))


def _submitted(connection: Connection, wanted: TaskFilter) -> _Span:
    """Return the numbers of what was submitted in the filter's time: ids tell the time."""
    low, high = 0, AFTER_ALL
    if wanted.since is not None:
        low = _first_from(connection, first_id_at(wanted.since))
    if wanted.until is not None:
        high = _first_from(connection, first_id_at(wanted.until))
    return _Span(low, high)


def _with_id(connection: Connection, text: str | None) -> _Span | None:
    """Return the numbers of the tasks whose ids begin with `text`; None if there are none."""
    start = (text or "").strip().lower()
    if not _START_OF_ID.fullmatch(start):
        return None
    span = _Span(_first_from(connection, start), _first_from(connection, start + "~"))
    return span if span.low < span.high else None


def _first_from(connection: Connection, task_id: str) -> int:
    """Return the number of the first task whose id is `task_id` or later."""
    query = select(table.c.seq).where(table.c.id >= task_id).order_by(table.c.id).limit(1)
    found = connection.execute(query).scalar_one_or_none()
    return AFTER_ALL if found is None else found


def _contains(text: str) -> ColumnElement[bool]:
    """Return the condition that people can see `text` in a task's id, function or arguments."""
    return or_(
        table.c.id.startswith(text, autoescape=True),
        table.c.function.contains(text, autoescape=True),
        func.coalesce(table.c.shown_args, table.c.args).contains(text, autoescape=True),
        func.coalesce(table.c.shown_kwargs, table.c.kwargs).contains(text, autoescape=True),
    )
