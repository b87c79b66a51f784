"""The pools while the server runs, and their end: what runs may end first, for a while."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from pooldeck_server.runtime.lifecycle.ending import Ending
from pooldeck_server.runtime.server import Server

_LOOK_SECONDS: Final = 0.02
_COMMIT_SECONDS: Final = 0.5  # for the last ends to be written, where somebody waits for them


@asynccontextmanager
async def pools_running(server: Server, ending: Ending) -> AsyncIterator[None]:
    """Start all pools; end them when the server is told to end, at the latest with the body."""
    starting = asyncio.gather(*(queue.start() for queue in server.queues.values()))
    ended = asyncio.create_task(_end(server, ending, starting))
    try:
        await starting
        yield
    finally:
        ending.begin()
        await ended


async def _end(server: Server, ending: Ending, starting: "asyncio.Future[list[None]]") -> None:
    queues = server.queues.values()
    await ending.begun.wait()
    server.experiments.end()
    server.frames.close()
    await asyncio.wait([starting])
    while any(queue.pool.busy for queue in queues):
        with suppress(TimeoutError):
            await asyncio.wait_for(ending.grace_over.wait(), _LOOK_SECONDS)
            break
    try:
        await asyncio.gather(*(queue.stop(0) for queue in queues))
    finally:
        await server.waiters.release_all(_COMMIT_SECONDS)
        ending.finished.set()
