"""Queues tasks whose time has come.

It knows only when the next one is due; the tasks themselves wait in the store. It reads the wall
clock anew at least every few seconds, so that a clock that jumps makes tasks early or late by that
much and no more.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Final

from pooldeck_server.domain.clock import Clock, seconds
from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.runtime.background import BackgroundPart
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Reader

_log = logging.getLogger(__name__)
_LONGEST_SLEEP: Final = 5.0  # seconds
_AT_ONCE: Final = 1000  # tasks in one commit


@dataclass(kw_only=True, eq=False)
class Scheduler(BackgroundPart):
    """Moves scheduled tasks to queued."""

    doing = "queueing tasks that are due"

    recorder: Recorder
    reader: Reader
    clock: Clock
    _changed: asyncio.Event = field(init=False, default_factory=asyncio.Event)

    def notify(self) -> None:
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
        due = await self.reader.run(queries.next_due)
        if due is None:
            return None
        now = self.clock.now()
        if due > now:
            return min(seconds(due - now), _LONGEST_SLEEP)
        await self.recorder.perform(lambda tx: records.promote_due(tx, now, _AT_ONCE))
        return 0.0
