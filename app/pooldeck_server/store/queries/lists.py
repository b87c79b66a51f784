"""The lists of tasks: filtered, sorted, a page at a time; how many there are; their tags."""

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec.structs import replace
from sqlalchemy import Connection, func, select

from pooldeck_server.domain.tasks.filter import (
    Matching,
    Sort,
    StateCounts,
    TaskFilter,
    TaskPage,
    TaskRef,
    Total,
)
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.store.bulk import Rows, json_rows
from pooldeck_server.store.queries.cursors import read_cursor, read_place, write_cursor, write_place
from pooldeck_server.store.queries.index_plan import AFTER_ALL, counted, is_counted_only
from pooldeck_server.store.queries.ordered import ordered
from pooldeck_server.store.queries.search import SCAN_LIMIT, search
from pooldeck_server.store.queries.task_json import LISTED_TASK
from pooldeck_server.store.tables import task_tags
from pooldeck_server.store.tables import tasks as table

_COUNTED = 1000
_LOOKED_AT_TO_COUNT = 5000  # tasks, where each has to be looked at

_row = Rows("seq")
_found = _row.table.join(table, table.c.seq == _row["seq"])
_listed = select(func.json_group_array(LISTED_TASK)).select_from(_found)
_ref = json_rows(table.c[name] for name in TaskRef.__struct_fields__)
_named = select(_ref).select_from(_found)

_id = Rows("id")
_identified = select(_ref).select_from(_id.table.join(table, table.c.id == _id["id"]))


def tasks(
    connection: Connection,
    wanted: TaskFilter,
    limit: int = 50,
    cursor: str | None = None,
    scan_limit: int = SCAN_LIMIT,
    *,
    sort: Sort = Sort.CREATED,
) -> TaskPage:
    """Return up to `limit` tasks that fit the filter, from `cursor` on.

    Where rows have to be looked at one by one, a page ends after `scan_limit` of them: it may then
    hold few tasks or none, and still have a cursor to go on with.

    Raises:
        InvalidRequest: If `cursor` is none that a page of such a list gave.
    """
    if sort is Sort.CREATED:
        newest = search(connection, wanted, read_cursor(cursor), limit, scan_limit)
        return TaskPage(_items(connection, newest.seqs), write_cursor(newest.next))
    after = read_place(sort, cursor)
    found = ordered(connection, wanted, sort, after, limit=limit, scan_limit=scan_limit)
    return TaskPage(_items(connection, found.seqs), write_place(sort, found.next))


def _items(connection: Connection, seqs: Sequence[int]) -> tuple[StoredTask, ...]:
    """Return tasks as lists show them, in the order of `seqs`."""
    items = _row.fetch(connection, _listed, StoredTask, [(seq,) for seq in seqs])
    by_number = {item.seq: item for item in items}
    return tuple(by_number[seq] for seq in seqs if seq in by_number)


def matching(
    connection: Connection,
    wanted: TaskFilter,
    before: int | None = None,
    limit: int = 1000,
    scan_limit: int = SCAN_LIMIT,
) -> Matching:
    """Return up to `limit` tasks that fit the filter, for a change of all that do.

    `before` is the `next` of the call before. Where rows have to be looked at one by one, the
    answer ends after `scan_limit` of them; it may be short or empty, and still have a `next`.
    """
    start = AFTER_ALL if before is None else before
    seqs, following = search(connection, wanted, start, limit, scan_limit)
    found = _row.fetch(connection, _named, TaskRef, [(seq,) for seq in seqs])
    found.sort(key=lambda item: item.seq, reverse=True)
    return Matching(tuple(found), following)


def named(connection: Connection, ids: Iterable[str]) -> list[TaskRef]:
    """Return the tasks of these ids; those that do not exist are left out."""
    return _id.fetch(connection, _identified, TaskRef, [(task_id,) for task_id in ids])


def total(connection: Connection, wanted: TaskFilter, most: int = _COUNTED) -> Total:
    """Return how many tasks fit the filter: exactly where the counters know, else up to `most`."""
    if (known := known_number(connection, wanted)) is not None:
        return Total(known, is_exact=True)
    found = search(connection, wanted, AFTER_ALL, most, _LOOKED_AT_TO_COUNT)
    return Total(len(found.seqs), is_exact=found.next is None)


def known_number(connection: Connection, wanted: TaskFilter) -> int | None:
    """Return how many tasks fit a filter of states, functions and pools; the counters know it.

    They know no time: of those submitted up to one, few may have come since, which are looked for.
    None where it takes counting.
    """
    if wanted.since is not None or not is_counted_only(wanted):
        return None
    number = counted(connection, wanted)
    if wanted.until is None:
        return number
    later = replace(wanted, since=wanted.until, until=None)
    since = search(connection, later, AFTER_ALL, _COUNTED, _LOOKED_AT_TO_COUNT)
    return number - len(since.seqs) if since.next is None else None


def state_counts(connection: Connection, wanted: TaskFilter, most: int = _COUNTED) -> StateCounts:
    """Return how many of the tasks that fit a filter are in each state, whichever it asks for.

    They are counted among the `most` newest that fit, and exact where those are all.
    """
    whole = replace(wanted, states=())
    found = matching(connection, whole, limit=most, scan_limit=_LOOKED_AT_TO_COUNT)
    return StateCounts(Counter(each.state for each in found.found), found.next is None)


def tags(connection: Connection, start: str, limit: int) -> list[str]:
    """Return the first `limit` tags that begin with `start`, in alphabetical order.

    It takes one step in their index for each.
    """
    found: list[str] = []
    following = task_tags.c.tag >= start
    while len(found) < limit:
        tag = connection.scalar(select(func.min(task_tags.c.tag)).where(following))
        if tag is None or not tag.startswith(start):
            break
        found.append(tag)
        following = task_tags.c.tag > tag
    return found
