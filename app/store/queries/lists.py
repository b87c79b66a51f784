"""The lists of tasks: filtered, newest first, a page at a time."""

from sqlalchemy import Connection, func, select

from app.domain.tasks import Matching, StoredTask, TaskFilter, TaskPage, TaskRef
from app.store.bulk import Rows, json_rows
from app.store.queries.cursors import read_cursor, write_cursor
from app.store.queries.search import SCAN_LIMIT, search
from app.store.queries.shown import LISTED_TASK
from app.store.queries.walk import AFTER_ALL
from app.store.tables import tasks as table

_row = Rows("seq")
_found = _row.table.join(table, table.c.seq == _row["seq"])
_listed = select(func.json_group_array(LISTED_TASK)).select_from(_found)
_named = select(json_rows(table.c[name] for name in TaskRef.__struct_fields__)).select_from(_found)


def tasks(
    connection: Connection,
    wanted: TaskFilter,
    limit: int = 50,
    cursor: str | None = None,
    scan_limit: int = SCAN_LIMIT,
) -> TaskPage:
    """Return up to `limit` tasks that fit the filter, from `cursor` on.

    Where rows have to be looked at one by one, a page ends after `scan_limit` of them: it may then
    hold few tasks or none, and still have a cursor to go on with.

    Raises:
        InvalidRequest: If `cursor` is none that a page gave.
    """
    seqs, following = search(connection, wanted, read_cursor(cursor), limit, scan_limit)
    items = _row.fetch(connection, _listed, StoredTask, [(seq,) for seq in seqs])
    items.sort(key=lambda item: item.seq, reverse=True)
    return TaskPage(tuple(items), write_cursor(following))


def matching(
    connection: Connection,
    wanted: TaskFilter,
    before: int | None = None,
    limit: int = 1000,
    scan_limit: int = SCAN_LIMIT,
) -> Matching:
    """Return up to `limit` tasks that fit the filter, for a change of all that do.

    Args:
        connection: Where to read.
        wanted: The filter.
        before: The `next` of the call before; None at first.
        limit: How many to return at most.
        scan_limit: How many rows to look at where they have to be looked at one by one; the answer
            may then be short or empty, and still have a `next`.
    """
    start = AFTER_ALL if before is None else before
    seqs, following = search(connection, wanted, start, limit, scan_limit)
    found = _row.fetch(connection, _named, TaskRef, [(seq,) for seq in seqs])
    found.sort(key=lambda item: item.seq, reverse=True)
    return Matching(tuple(found), following)
