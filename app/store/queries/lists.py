"""The lists of tasks: filtered, newest first, a page at a time; each page is bounded work."""

import re
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, or_, select

from app.domain.errors import InvalidRequest
from app.domain.ids import first_id_at
from app.domain.tasks import StoredTask, TaskFilter, TaskPage
from app.store.bulk import Rows, fetch
from app.store.queries.shown import LISTED_TASK
from app.store.queries.walk import AFTER_ALL, Walk, newest_first, plan
from app.store.tables import tasks as table

SCAN_LIMIT = 50_000
"""Rows that one page looks at where no index can tell which of them fit."""

_CURSOR = re.compile(r"[0-7][0-9a-f]{15}")
_START_OF_ID = re.compile(r"[0-9a-f]{8}[0-9a-f-]{0,28}")


_row = Rows("seq")
_listed = (
    select(func.json_group_array(LISTED_TASK))
    .select_from(_row.table)
    .join(table, table.c.seq == _row["seq"])
)


class _Span(NamedTuple):
    """The numbers from `low` up to but not including `high`."""

    low: int = 0
    high: int = AFTER_ALL

    def within(self, other: "_Span") -> "_Span":
        return _Span(max(self.low, other.low), min(self.high, other.high))


def tasks(
    connection: Connection,
    wanted: TaskFilter,
    limit: int = 50,
    cursor: str | None = None,
    scan_limit: int = SCAN_LIMIT,
) -> TaskPage:
    """Return up to `limit` tasks that fit the filter, from `cursor` on.

    Where rows have to be looked at one by one (text, or fields that no index holds together), a
    page ends after `scan_limit` of them: it may then hold few tasks or none, and still have a
    cursor to go on with.

    Raises:
        InvalidRequest: If `cursor` is none that a page gave.
    """
    span = _submitted(connection, wanted).within(_Span(high=_read_cursor(cursor)))
    named = _with_id(connection, wanted.text)
    text = None if named or not wanted.text else _contains(wanted.text)
    walk = plan(connection, wanted, text)
    return _page(connection, walk, span.within(named or _Span()), limit, scan_limit)


def _page(connection: Connection, walk: Walk, span: _Span, limit: int, scan_limit: int) -> TaskPage:
    looked_at = _cut(connection, walk, span, scan_limit) if walk.rest else span
    items = _newest(connection, walk, looked_at, limit + 1)
    if len(items) > limit:
        return TaskPage(tuple(items[:limit]), _cursor(items[limit - 1].seq))
    return TaskPage(tuple(items), _cursor(looked_at.low) if looked_at.low > span.low else None)


def _newest(connection: Connection, walk: Walk, span: _Span, limit: int) -> list[StoredTask]:
    if not walk.lanes:
        return []
    lanes = [lane.between(*span, walk.rest) for lane in walk.lanes]
    newest = newest_first(lanes).limit(limit).subquery()
    found = fetch(connection, select(func.json_group_array(newest.c.seq)), list[int])
    items = _row.fetch(connection, _listed, StoredTask, [(seq,) for seq in found])
    return sorted(items, key=lambda item: item.seq, reverse=True)


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


def _cursor(seq: int) -> str:
    return f"{seq:016x}"


def _read_cursor(cursor: str | None) -> int:
    if cursor is None:
        return AFTER_ALL
    if not _CURSOR.fullmatch(cursor):
        raise InvalidRequest("the cursor is not one that a list of tasks gave; leave it out")
    return int(cursor, 16)
