"""The pools while the server runs, and their end: what runs may end first, for a while."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

from pooldeck_server.runtime.lifecycle.ending import Ending
from pooldeck_server.runtime.server import Service
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher

_LOOK_SECONDS: Final = 0.02
_COMMIT_SECONDS: Final = 0.5  # for the last ends to be written, where somebody waits for them


@asynccontextmanager
async def pools_running(
    queues: Mapping[str, Dispatcher], service: Service, ending: Ending
) -> AsyncIterator[None]:
    """Start all pools; end them when the server is told to end, at the latest with the body.

    Args:
        queues: The dispatcher of each pool.
        service: Told to drain first.
        ending: Says when that is, and how long what runs may go on.
    """
    starting = asyncio.gather(*(queue.start() for queue in queues.values()))
    ended = asyncio.create_task(_end(queues, service, ending, starting))
    try:
        await starting
        yield
    finally:
        ending.begin()
        await ended


async def _end(
    queues: Mapping[str, Dispatcher],
    service: Service,
    ending: Ending,
    starting: "asyncio.Future[list[None]]",
) -> None:
    await ending.begun()
    service.begin_drain()
    await asyncio.wait([starting])
    while any(queue.pool.busy for queue in queues.values()):
        with suppress(TimeoutError):
            await asyncio.wait_for(ending.grace_over(), _LOOK_SECONDS)
            break
    try:
        await asyncio.gather(*(queue.stop(0) for queue in queues.values()))
    finally:
        await service.feed.release_waiters(_COMMIT_SECONDS)
        ending.finish()
