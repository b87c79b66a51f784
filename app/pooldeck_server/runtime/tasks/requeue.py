"""Brings tasks to their queues that the store has queued anew: due, run again, retried by hand."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.store import queries
from pooldeck_server.store.database import Reader

_log = logging.getLogger(__name__)


class Requeue:
    """Follows moves whose tasks nobody in the server holds.

    Args:
        reader: Finds the tasks.
        queues: The dispatcher of each pool.
        on_scheduled: Told when a task waits for a time.
    """

    def __init__(
        self,
        reader: Reader,
        queues: Mapping[str, Dispatcher],
        on_scheduled: Callable[[], None],
    ) -> None:
        self._reader = reader
        self._queues = queues
        self._on_scheduled = on_scheduled
        self._readings: set[asyncio.Task[None]] = set()

    def follow(self, moves: Sequence[TaskChanged]) -> None:
        """Take the moves of a commit."""
        if any(move.state is State.SCHEDULED for move in moves):
            self._on_scheduled()
        queued = [move for move in moves if move.state is State.QUEUED]
        if queued:
            reading = asyncio.ensure_future(self._offer(queued))
            self._readings.add(reading)
            reading.add_done_callback(self._readings.discard)

    async def _offer(self, moves: Sequence[TaskChanged]) -> None:
        pools = {move.pool for move in moves} & self._queues.keys()
        try:
            tasks = await self._reader.run(queries.waiting, [move.seq for move in moves])
        except PooldeckError as error:
            _log.warning("tasks that are queued again could not be read: %s", error)
            for pool in pools:
                self._queues[pool].look_again()
            return
        for task in tasks:
            if task.pool in pools:
                self._queues[task.pool].offer(task)
        for pool in pools:
            self._queues[pool].pump()

    async def stop(self) -> None:
        """Wait for what is being read."""
        await asyncio.gather(*self._readings, return_exceptions=True)
