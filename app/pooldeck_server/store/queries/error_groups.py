"""Groups of errors: the list, one of them, and how many of their tasks can be run again."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from sqlalchemy import Column, ColumnElement, Connection, func, select, tuple_

from pooldeck_server.domain.clock import HOUR
from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.failures.error_groups import (
    LATELY,
    FunctionCount,
    GroupFilter,
    GroupPage,
    GroupReport,
    GroupSort,
    GroupState,
    StoredErrorGroup,
)
from pooldeck_server.store.bulk import Rows, fetch, fetch_all, json_rows
from pooldeck_server.store.tables import error_counts as hourly
from pooldeck_server.store.tables import error_groups as kept
from pooldeck_server.store.tables import tasks

_CURSOR: Final = re.compile(r"([0-7][0-9a-f]{15})([0-9a-f]{16})")
_MOST_COUNTED: Final = 10_000
_MESSAGES: Final = 8  # of a group, to see where they differ
_TWO: Final = 2  # the fewest that can differ
_ORDER: Final[dict[GroupSort, Column[int]]] = {
    GroupSort.SEEN: kept.c.last_seen,
    GroupSort.COUNT: kept.c.n,
}
_wanted = Rows("id", "first_hour")
_count_hours = (
    select(json_rows((hourly.c.id, hourly.c.hour, hourly.c.function, hourly.c.n)))
    .select_from(_wanted.table)
    .join(hourly, hourly.c.id == _wanted["id"])
    .where(hourly.c.hour >= _wanted["first_hour"])
)


class _Counted(Struct, frozen=True, array_like=True):
    """The failures of a group in one hour and function."""

    id: str
    hour: int
    function: str
    n: int


def error_groups(
    connection: Connection,
    wanted: GroupFilter,
    now: int,
    limit: int = 50,
    cursor: str | None = None,
) -> GroupPage:
    """Return up to `limit` groups that fit the filter, from `cursor` on, with their latest hours.

    The hours end at `now`, microseconds since the epoch.

    Raises:
        InvalidRequest: If `cursor` is none that a page gave.
    """
    column = _ORDER[wanted.sort]
    page = (
        select(kept)
        .where(*_conditions(wanted), *_after(column, cursor))
        .order_by(column.desc(), kept.c.id.desc())
        .limit(limit + 1)
    )
    found = fetch_all(connection, page, StoredErrorGroup)
    more = len(found) > limit
    reports = _reports(connection, found[:limit], now, LATELY)
    return GroupPage(reports, _cursor_of(found[limit - 1], wanted.sort) if more else None)


def _conditions(wanted: GroupFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.states:
        conditions.append(kept.c.state.in_(wanted.states))
    if wanted.since is not None:
        conditions.append(kept.c.last_seen >= wanted.since)
    if wanted.functions:
        conditions.append(_failed_lately(wanted.functions))
    return conditions


def _failed_lately(functions: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that any of `functions` is among those of a group's report."""
    return (
        select(hourly.c.id)
        .where(
            hourly.c.id == kept.c.id,
            hourly.c.hour > kept.c.last_seen // HOUR - LATELY,
            hourly.c.function.in_(functions),
        )
        .exists()
    )


def _after(column: Column[int], cursor: str | None) -> list[ColumnElement[bool]]:
    """Return the condition that a group comes after the one that a cursor names."""
    if cursor is None:
        return []
    named = _CURSOR.fullmatch(cursor)
    if named is None:
        raise InvalidRequest("the cursor is not one that this list gave; leave it out")
    return [tuple_(column, kept.c.id) < tuple_(int(named[1], 16), named[2])]


def _cursor_of(group: StoredErrorGroup, sort: GroupSort) -> str:
    place = group.last_seen if sort is GroupSort.SEEN else group.n
    return f"{place:016x}{group.id}"


def error_group(
    connection: Connection, group_id: str, now: int, hours: int = LATELY
) -> GroupReport | None:
    """Return a group with its latest `hours` up to `now` (microseconds), None if there is none."""
    found = fetch_all(connection, select(kept).where(kept.c.id == group_id), StoredErrorGroup)
    return next(iter(_reports(connection, found, now, hours)), None)


def _reports(
    connection: Connection, groups: Sequence[StoredErrorGroup], now: int, hours: int
) -> tuple[GroupReport, ...]:
    """Add to groups what was counted in their hours."""
    starts = [(group.id, group.last_seen // HOUR - hours + 1) for group in groups]
    counted: defaultdict[str, list[_Counted]] = defaultdict(list)
    for row in _wanted.fetch(connection, _count_hours, _Counted, starts):
        counted[row.id].append(row)
    return tuple(_report(group, counted[group.id], now // HOUR, hours) for group in groups)


def _report(
    group: StoredErrorGroup, counted: Sequence[_Counted], present: int, hours: int
) -> GroupReport:
    by_hour: Counter[int] = Counter()
    by_function: Counter[str] = Counter()
    for row in counted:
        by_hour[row.hour] += row.n
        by_function[row.function] += row.n
    return GroupReport(
        group,
        tuple(by_hour[hour] for hour in range(present - hours + 1, present + 1)),
        tuple(FunctionCount(function, n) for function, n in by_function.most_common()),
    )


def error_group_counts(connection: Connection) -> dict[GroupState, int]:
    counted = select(kept.c.state, func.count().label("n")).group_by(kept.c.state).subquery()
    query = select(func.json_group_object(counted.c.state, counted.c.n))
    return fetch(connection, query, dict[GroupState, int])


def fixed_error_groups(connection: Connection) -> list[StoredErrorGroup]:
    """Return the groups that were marked as fixed, those that came again among them."""
    marked = kept.c.state.in_((GroupState.FIXED, GroupState.RETURNED))
    found = fetch_all(connection, select(kept).where(marked), StoredErrorGroup)
    return sorted(found, key=lambda group: group.last_seen, reverse=True)


def count_in_error_group(connection: Connection, group_id: str, most: int = _MOST_COUNTED) -> int:
    """Return how many tasks ended with an error of a group, but no more than `most`."""
    some = select(tasks.c.seq).where(tasks.c.error_group == group_id).limit(most).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one()


def error_messages(
    connection: Connection, groups: Sequence[StoredErrorGroup]
) -> dict[str, list[str]]:
    """Return the messages of the latest tasks that ended with each of some groups, by its id.

    A group of which the tasks tell less than two messages though it counts more is left out:
    whether they differ cannot be known.
    """
    found = {group.id: _messages(connection, group.id) for group in groups}
    return {
        group.id: found[group.id] for group in groups if len(found[group.id]) >= min(group.n, _TWO)
    }


def _messages(connection: Connection, group_id: str) -> list[str]:
    latest = (
        select(func.json_extract(tasks.c.error, "$.message").label("message"))
        .where(tasks.c.error_group == group_id)
        .order_by(tasks.c.seq.desc())
        .limit(_MESSAGES)
        .subquery()
    )
    return fetch(connection, select(func.json_group_array(latest.c.message)), list[str])
