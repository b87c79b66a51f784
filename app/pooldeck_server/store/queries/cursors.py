"""Cursors: where the next page of a list begins, as text that callers hand back unread."""

import re
import struct
from typing import Final

from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.tasks.filter import Sort
from pooldeck_server.store.queries.index_plan import AFTER_ALL
from pooldeck_server.store.queries.ordered import SortPosition

_NUMBER: Final = re.compile(r"[0-7][0-9a-f]{15}")
_PLACE: Final = re.compile(r"([fr])([0-7][0-9a-f]{15})([0-7][0-9a-f]{15})")
_LETTERS: Final = {Sort.FINISHED: "f", Sort.RUN: "r"}


def write_cursor(number: int | None) -> str | None:
    """Return the cursor of a page that goes on before `number`; None where none follows."""
    return None if number is None else f"{number:016x}"


def read_cursor(cursor: str | None) -> int:
    """Return the number before which a page begins; without a cursor, one after all.

    Raises:
        InvalidRequest: If it is none that a page of the newest first gave.
    """
    if cursor is None:
        return AFTER_ALL
    if _PLACE.fullmatch(cursor):
        raise _of_another_sort(Sort.CREATED)
    if not _NUMBER.fullmatch(cursor):
        raise _unknown()
    return int(cursor, 16)


def write_place(sort: Sort, place: SortPosition | None) -> str | None:
    """Return the cursor of a page that goes on after `place`; None where none follows."""
    if place is None:
        return None
    value = struct.pack(">d", place.value).hex()
    return f"{_LETTERS[sort]}{value}{place.seq:016x}"


def read_place(sort: Sort, cursor: str | None) -> SortPosition | None:
    """Return the place after which a page of a list begins; None for its first page.

    Raises:
        InvalidRequest: If it is none that a page of such a list gave.
    """
    if cursor is None:
        return None
    found = _PLACE.fullmatch(cursor)
    if found is None and not _NUMBER.fullmatch(cursor):
        raise _unknown()
    if found is None or found[1] != _LETTERS[sort]:
        raise _of_another_sort(sort)
    (value,) = struct.unpack(">d", bytes.fromhex(found[2]))
    return SortPosition(value, int(found[3], 16))


def _unknown() -> InvalidRequest:
    return InvalidRequest("the cursor is not one that this list gave; leave it out")


def _of_another_sort(sort: Sort) -> InvalidRequest:
    return InvalidRequest(
        f"the cursor is of a list that is sorted otherwise, not by {sort}; leave it out"
    )
