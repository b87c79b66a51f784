"""Looks from time to time at what waits to be sent: for the notices, and for its bounds."""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Final

from pooldeck_server.domain.alerts.outbox import OutboxState
from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.runtime.background import BackgroundPart
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Reader

_log = logging.getLogger(__name__)
_LOOK_SECONDS: Final = 15.0


@dataclass(kw_only=True, eq=False)
class OutboxWatch(BackgroundPart):
    """Knows what waited a moment ago."""

    doing = "looking at what waits to be sent"

    recorder: Recorder
    reader: Reader
    changes: LiveChanges
    state: OutboxState = field(init=False, default=OutboxState())
    _commits: int = field(init=False, default=-1)  # as of the latest look

    async def _run(self) -> None:
        while True:
            try:
                await self.step()
            except PooldeckError as error:  # which is told of by itself
                _log.debug("what waits to be sent is not known: %s", error)
            await asyncio.sleep(_LOOK_SECONDS)

    async def step(self) -> None:
        """Look once, and keep what waits within its bounds; raises as `Reader.run`."""
        commits = self.recorder.commits
        if commits == self._commits:  # what is on record is what it was
            return
        if await self.reader.run(queries.are_callbacks_crowded):
            await self.recorder.perform(records.trim_callbacks)
        found = await self.reader.run(queries.outbox)
        if found != self.state:
            self.state = found
            self.changes.mark_dirty()
        self._commits = commits
