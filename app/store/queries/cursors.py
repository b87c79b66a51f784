"""Cursors: where the next page of a list begins, as text that callers hand back unread."""

import re

from app.domain.errors import InvalidRequest
from app.store.queries.walk import AFTER_ALL

_CURSOR = re.compile(r"[0-7][0-9a-f]{15}")


def write_cursor(number: int | None) -> str | None:
    """Return the cursor of a page that goes on before `number`; None where none follows."""
    return None if number is None else f"{number:016x}"


def read_cursor(cursor: str | None) -> int:
    """Return the number before which a page begins; without a cursor, one after all.

    Raises:
        InvalidRequest: If it is none that a page gave.
    """
    if cursor is None:
        return AFTER_ALL
    if not _CURSOR.fullmatch(cursor):
        raise InvalidRequest("the cursor is not one that this list gave; leave it out")
    return int(cursor, 16)
