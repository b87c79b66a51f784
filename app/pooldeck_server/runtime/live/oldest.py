"""Since when the oldest queued task of each pool waits, whatever holds it up.

What a queue has in memory is known at once. Tasks on hold, those that no worker can run, and those
behind what memory holds wait in the store alone: while there may be such, it is asked each second.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pooldeck_server.domain.clock import Clock, seconds
from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.background import BackgroundPart
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.tasks.counts import Counts
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.store import queries
from pooldeck_server.store.database import Reader

_SECONDS: Final = 1.0  # between two looks


@dataclass(kw_only=True, eq=False)
class OldestWaits(BackgroundPart):
    """Knows the oldest wait of each pool."""

    doing = "looking for the oldest task that waits"

    queues: Mapping[str, Dispatcher]
    reader: Reader
    clock: Clock
    counts: Counts
    changes: LiveChanges
    _stored: dict[str, int] = field(init=False, default_factory=dict)  # microseconds, by pool

    def of(self, queue: Dispatcher) -> float | None:
        """Return how many seconds the oldest queued task of a pool has waited; None if none is."""
        if not self.counts.number(queue.name, State.QUEUED):
            return None
        oldest = queue.oldest
        known = [] if oldest is None else [oldest.ready_at]
        if queue.holds_back and queue.name in self._stored:
            known.append(self._stored[queue.name])
        return max(0.0, seconds(self.clock.now() - min(known))) if known else None

    async def _run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(_SECONDS)

    async def look(self) -> None:
        """Ask the store about the queues that may hold something back."""
        found: dict[str, int] = {}
        for name, queue in self.queues.items():
            if queue.holds_back and self.counts.number(name, State.QUEUED):
                try:
                    at = await self.reader.run(queries.oldest_waiting, name)
                except PooldeckError:
                    at = self._stored.get(name)  # the store's trouble is said elsewhere
                if at is not None:
                    found[name] = at
        if found != self._stored:
            self._stored = found
            self.changes.mark_dirty()
