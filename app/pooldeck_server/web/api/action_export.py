"""The log of actions as one file, sent in pieces: no more than a page of it is in memory."""

import csv
import io
from collections.abc import AsyncIterator, Iterable
from typing import Any, Final, Literal

import msgspec

from pooldeck_server.domain.actions import ActionFilter
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from pooldeck_server.web.api.schemas.actions import LoggedAction

FORMATS: Final = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
"""Their media types, by name."""

_AT_ONCE: Final = 500
_COLUMNS: Final = LoggedAction.__struct_fields__
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_encode: Final = msgspec.json.Encoder().encode


async def exported(
    server: Server, wanted: ActionFilter, as_: Literal["csv", "jsonl"]
) -> AsyncIterator[bytes]:
    """Yield all actions that a filter fits, newest first; what is done meanwhile is not met."""
    encode = _csv if as_ == "csv" else _lines
    if as_ == "csv":
        yield _rows([_COLUMNS])
    cursor: str | None = None
    while True:
        page = await server.read(queries.actions, wanted, _AT_ONCE, cursor)
        if page.items:
            yield encode(map(LoggedAction.of, page.items))
        cursor = page.next_cursor
        if cursor is None:
            return


def _lines(actions: Iterable[LoggedAction]) -> bytes:
    return b"".join(_encode(action) + b"\n" for action in actions)


def _csv(actions: Iterable[LoggedAction]) -> bytes:
    return _rows([_cell(getattr(action, name)) for name in _COLUMNS] for action in actions)


def _rows(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    """Return a value as text that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    text = _encode(value).decode() if isinstance(value, dict) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
