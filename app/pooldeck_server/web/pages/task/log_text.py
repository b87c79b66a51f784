"""A task's log as one text, sent in pieces: no more than a page of it is in memory."""

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Final

from msgspec.structs import replace

from pooldeck_server.domain.tasks.log import LogWindow, StoredLine
from pooldeck_server.domain.terminal_text import plain
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from pooldeck_server.web.text import formats

LINES_AT_ONCE: Final = 1000


async def log_as_text(server: Server, task_id: str, window: LogWindow) -> AsyncIterator[bytes]:
    """Yield the lines of a log from those after `window.after` on, without what terminals obey.

    Lines that are missing are said where they are.
    """
    while True:
        found = await server.read(queries.log_window, task_id, window)
        if found:
            yield "".join(_lines(found)).encode(errors="replace")
        if len(found) < window.limit:
            return
        window = replace(window, after=found[-1].n)


def _lines(found: Iterable[StoredLine]) -> Iterator[str]:
    for line in found:
        if line.left_out:
            yield f"... {line.left_out} lines left out\n"
        yield f"{formats.iso(line.at)} {line.level} {line.source} {plain(line.message)}\n"
