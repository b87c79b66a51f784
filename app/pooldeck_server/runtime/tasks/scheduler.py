"""Queues tasks whose time has come.

It knows only when the next one is due; the tasks themselves wait in the store. It reads the wall
clock anew at least every few seconds, so that a clock that jumps makes tasks early or late by that
much and no more.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final

from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.runtime.background import Background
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Reader

_log = logging.getLogger(__name__)
_LONGEST_SLEEP: Final = 5.0  # seconds
_AT_ONCE: Final = 1000  # tasks in one commit


class Scheduler:
    """Moves scheduled tasks to queued.

    Args:
        recorder: Writes the moves.
        reader: Says when the next task is due.
        clock: The server's time.
        queued: Given the moves of tasks that became queued.
    """

    def __init__(
        self,
        recorder: Recorder,
        reader: Reader,
        clock: Clock,
        queued: Callable[[Sequence[TaskChanged]], None],
    ) -> None:
        self._recorder = recorder
        self._reader = reader
        self._clock = clock
        self._queued = queued
        self._changed = asyncio.Event()
        self._watching = Background("queueing tasks that are due", self._run)

    def start(self) -> None:
        """Begin to watch the clock."""
        self._watching.start()

    async def stop(self) -> None:
        """Queue nothing more."""
        await self._watching.stop()

    def look_again(self) -> None:
        """Note that a task was stored that may be due before all others."""
        self._changed.set()

    async def _run(self) -> None:
        while True:
            try:
                pause = await self.queue_due()
            except PooldeckError as error:
                _log.warning("due tasks could not be queued: %s", error)
                pause = _LONGEST_SLEEP
            await self._sleep(pause)

    async def _sleep(self, seconds: float | None) -> None:
        """Wait; None until a task is scheduled."""
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            return
        self._changed.clear()

    async def queue_due(self) -> float | None:
        """Queue what is due now; return the seconds until to look again, None for never."""
        due = await self._reader.run(queries.next_due)
        if due is None:
            return None
        now = self._clock.now()
        if due > now:
            return min((due - now) / 1e6, _LONGEST_SLEEP)
        moves = await self._recorder.perform(lambda tx: records.promote_due(tx, now, _AT_ONCE))
        self._queued(moves)
        return 0.0
