"""The pools while the server runs, and their end: what runs may end first, for a while."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from pooldeck_server.domain.failures.incidents import TaskName
from pooldeck_server.domain.pools import stops
from pooldeck_server.domain.pools.controls import CutOff
from pooldeck_server.runtime.lifecycle.ending import Ending
from pooldeck_server.runtime.server import Server

_log = logging.getLogger(__name__)
_LOOK_SECONDS: Final = 0.02
_TELL_SECONDS: Final = 10.0  # between two lines that say what is waited for
_LEAVE_SECONDS: Final = 0.5  # for workers to end, where somebody does not want to wait
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
    running = _running(server)
    level = logging.WARNING if running else logging.INFO
    _log.log(level, stops.beginning(running, ending.grace))
    await asyncio.wait([starting])
    await _wait_for_what_runs(server, ending)
    hurrying = asyncio.create_task(_hurry_leaving(server, ending))
    try:
        await asyncio.gather(*(queue.stop(0) for queue in queues))
        tasks = [task for queue in queues for task in queue.running.cut_off]
        ending.cut_off = CutOff.of(tasks, server.drain.drained)
    finally:
        hurrying.cancel()
        await server.waiters.release_all(_COMMIT_SECONDS)
        await server.watches.close(_COMMIT_SECONDS)
        ending.finished.set()


async def _wait_for_what_runs(server: Server, ending: Ending) -> None:
    """Wait until nothing runs or the grace period is over; say now and then what is waited for."""
    loop = asyncio.get_running_loop()
    told_at = loop.time()
    while any(queue.pool.busy for queue in server.queues.values()):
        with suppress(TimeoutError):
            await asyncio.wait_for(ending.grace_over.wait(), _LOOK_SECONDS)
            return
        if loop.time() - told_at >= _TELL_SECONDS:
            told_at = loop.time()
            _log.info(stops.waiting(_running(server), ending.seconds_left))


async def _hurry_leaving(server: Server, ending: Ending) -> None:
    """Leave workers only a moment for their ends if somebody does not want to wait."""
    await ending.hurried.wait()
    await asyncio.sleep(_LEAVE_SECONDS)
    for queue in server.queues.values():
        queue.pool.expel_leaving()


def _running(server: Server) -> list[TaskName]:
    """Return what runs, or may run, in the workers."""
    return [
        TaskName(call.call.task, call.call.function)
        for queue in server.queues.values()
        for worker in queue.pool.snapshot().workers
        for call in worker.calls
    ]
