"""The log of actions as one file, sent in pieces: no more than a page of it is in memory."""

from collections.abc import AsyncIterator, Iterable
from typing import Final, Literal

from pooldeck_server.domain.actions import ActionFilter
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from pooldeck_server.web.api.csv_rows import csv_rows, json_lines
from pooldeck_server.web.api.schemas.actions import LoggedAction

_AT_ONCE: Final = 500
_COLUMNS: Final = LoggedAction.__struct_fields__


async def exported(
    server: Server, wanted: ActionFilter, as_: Literal["csv", "jsonl"]
) -> AsyncIterator[bytes]:
    """Yield all actions that a filter fits, newest first; what is done meanwhile is not met."""
    encode = _csv if as_ == "csv" else json_lines
    if as_ == "csv":
        yield csv_rows([_COLUMNS])
    cursor: str | None = None
    while True:
        page = await server.read(queries.actions, wanted, _AT_ONCE, cursor)
        if page.items:
            yield encode(map(LoggedAction.of, page.items))
        cursor = page.next_cursor
        if cursor is None:
            return


def _csv(actions: Iterable[LoggedAction]) -> bytes:
    return csv_rows([getattr(action, name) for name in _COLUMNS] for action in actions)
