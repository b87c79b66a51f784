"""Searching the logs of all tasks, those of the newest first, for a bounded time.

No index holds the texts of logs: lines come by the million, and each would be dearer to write. So
they are looked at, a part at a time, until enough is found or the time is over; the answer says how
far that was, and a cursor goes on from there.
"""

import re
import time
from typing import Final, NamedTuple

from sqlalchemy import Connection, func, select, tuple_

from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.tasks.log_search import FoundLine, FoundLines, LogSearch
from pooldeck_server.store.bulk import fetch, fetch_all
from pooldeck_server.store.queries.index_plan import AFTER_ALL
from pooldeck_server.store.queries.logs import holds_text
from pooldeck_server.store.tables import logs, tasks

LOOKING_SECONDS: Final = 0.05
_PART: Final = 5000  # lines that are looked at in one go
_CURSOR: Final = re.compile(r"([0-9]{1,18})-([0-9]{1,18})-([0-9]{1,18})")
_ORDER: Final = tuple(column.desc() for column in (logs.c.seq, logs.c.attempt, logs.c.n))
_KEY: Final = tuple_(logs.c.seq, logs.c.attempt, logs.c.n)


class _Place(NamedTuple):
    """Where a line stands among all: the number of its task, its attempt, its own number."""

    seq: int
    attempt: int
    n: int

    @property
    def cursor(self) -> str:
        return "-".join(map(str, self))


def search_logs(
    connection: Connection,
    wanted: LogSearch,
    limit: int = 100,
    cursor: str | None = None,
    seconds: float = LOOKING_SECONDS,
) -> FoundLines:
    """Return up to `limit` lines that are found from `cursor` on within about `seconds`.

    It may be few or none, and still have a cursor to go on with.

    Raises:
        InvalidRequest: If `cursor` is none that a search gave.
    """
    before = _place(cursor)
    end = time.monotonic() + seconds
    found: list[FoundLine] = []
    following: _Place | None = before
    while following is not None and len(found) < limit:
        part = _first_after(connection, following)
        lines, last = _matches(connection, wanted, following, part, limit - len(found))
        found += lines
        following = last if last is not None else part
        if time.monotonic() >= end:
            break
    looked_at, number = _looked_at(connection, following)
    return FoundLines(tuple(found), looked_at, number, following and following.cursor)


def _place(cursor: str | None) -> _Place:
    if cursor is None:
        return _Place(AFTER_ALL, 0, 0)
    if (found := _CURSOR.fullmatch(cursor)) is None:
        raise InvalidRequest("the cursor is not one that a search gave; leave it out")
    return _Place(*map(int, found.groups()))


def _first_after(connection: Connection, before: _Place) -> _Place | None:
    """Return the last line of the part that follows a place; None where no whole part does."""
    last = (
        select(logs.c.seq, logs.c.attempt, logs.c.n)
        .where(tuple_(*before) > _KEY)
        .order_by(*_ORDER)
        .offset(_PART - 1)
        .limit(1)
    )
    row = connection.execute(last).first()
    return None if row is None else _Place(*row)


def _matches(
    connection: Connection, wanted: LogSearch, before: _Place, last: _Place | None, limit: int
) -> tuple[list[FoundLine], _Place | None]:
    """Return what is found in a part; and the place of the last of it, if there may be more."""
    query = (
        select(
            tasks.c.id.label("task"),
            tasks.c.function,
            *(logs.c[name] for name in ("attempt", "n", "at", "level", "source", "message")),
            logs.c.seq,
        )
        .join(tasks, tasks.c.seq == logs.c.seq)
        .where(tuple_(*before) > _KEY, holds_text(logs, wanted.text))
        .where(logs.c.level.not_in(wanted.hidden))
        .order_by(*_ORDER)
        .limit(limit)
    )
    if last is not None:
        query = query.where(tuple_(*last) <= _KEY)
    if wanted.function is not None:
        query = query.where(tasks.c.function == wanted.function)
    lines = fetch_all(connection, query, _PlacedLine)
    found = [FoundLine(*(getattr(line, name) for name in _SHOWN)) for line in lines]
    is_full = len(lines) == limit
    return found, _Place(lines[-1].seq, lines[-1].attempt, lines[-1].n) if is_full else None


class _PlacedLine(FoundLine, frozen=True):
    """A line with the number of its task."""

    seq: int


_SHOWN: Final = FoundLine.__struct_fields__


def _looked_at(connection: Connection, following: _Place | None) -> tuple[int, int]:
    """Return how many of the newest tasks have been looked at, of how many, by their numbers."""
    # Each end by itself: both in one SELECT would read every task.
    ends = (select(of(tasks.c.seq)).scalar_subquery() for of in (func.min, func.max))
    first, last = fetch(connection, select(func.json_array(*ends)), tuple[int | None, int | None])
    if first is None or last is None:
        return 0, 0
    number = last - first + 1
    if following is None:
        return number, number
    return min(number, max(0, last - following.seq + 1)), number
