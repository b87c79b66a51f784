"""Keeps the history of the pools: measures the present stretch, and stores each one that ends.

It owns the present stretch and those that wait to be written. The moves of each commit feed it, and
once a second it looks at the pools. Every ten seconds, aligned to the epoch, the recorder gets what
has ended; in the same commit longer stretches are made and old ones deleted. What the database
refuses is kept for an hour: a full disk leaves no gap in the charts.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.domain.pools.history import STRETCH, Recent, Stretch
from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.runtime.background import Background
from pooldeck_server.runtime.live.open_stretch import OpenStretch
from pooldeck_server.runtime.live.recent import RecentMinutes
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.store import records
from pooldeck_server.store.transaction import Transaction

_log = logging.getLogger(__name__)
_SECOND: Final = 1_000_000  # microseconds
_MOST_UNWRITTEN: Final = 3600 // STRETCH
_LATE: Final = 0.01  # seconds after the full one at which we look


class PoolHistory:
    """Measures and keeps.

    Args:
        recorder: Writes the stretches.
        clock: The server's time.
        kept: The stretches of the last `LATELY` seconds, the oldest first.
    """

    def __init__(self, recorder: Recorder, clock: Clock, kept: Iterable[Stretch] = ()) -> None:
        self._recorder = recorder
        self._clock = clock
        self._at = self._stretch_now()
        self._present = OpenStretch()
        self._lately = RecentMinutes()
        for stretch in kept:
            self._lately.remember(stretch)
        self._unwritten: deque[Stretch] = deque(maxlen=_MOST_UNWRITTEN)
        self._writing: asyncio.Task[None] | None = None
        self._looking = Background("looking at the pools for their history", self._run)

    def start(self, pools: Callable[[], Sequence[PoolHealth]]) -> None:
        """Begin to look at the pools whose health `pools` gives."""
        self._pools = pools
        self._looking.start()

    async def stop(self) -> None:
        """Look a last time, and write the stretch that has begun."""
        await self._looking.stop()
        self.look()  # a run of less than a second has a history as well
        if self._writing is not None:
            await self._writing
        self._close()
        await self._write()

    def on_commit(self, moves: Sequence[TaskChanged]) -> None:
        """Count the moves of a commit."""
        self._present.take(moves)

    def recent(self, pool: str) -> Recent | None:
        """Return how a pool's last minutes were; None before the first look at it."""
        return self._lately.recent(pool)

    async def _run(self) -> None:
        while True:
            self.look()
            into = self._clock.now() % _SECOND / _SECOND
            await asyncio.sleep(1 - into + _LATE)

    def look(self) -> None:
        """Close the stretch if it has ended, then look at the pools once."""
        now = self._stretch_now()
        pools = self._pools()
        if now != self._at:
            if not self._present.is_seen:  # the server began within its last second
                self._present.see(pools)
            self._close()
            self._at = now
            if self._writing is None or self._writing.done():
                self._writing = asyncio.create_task(self._write())
        self._present.see(pools)
        self._lately.see(pools, self._present, self._clock.monotonic())

    def _close(self) -> None:
        stretch = self._present.close(self._at)
        self._lately.remember(stretch)
        self._unwritten.append(stretch)

    async def _write(self) -> None:
        """Write all that is not written yet, or let it wait for the next time."""
        stretches = list(self._unwritten)
        self._unwritten.clear()
        now = self._clock.now() // _SECOND
        try:
            await self._recorder.perform(partial(_keep, stretches=stretches, now=now))
        except PooldeckError as error:
            _log.warning("the history of %d stretches waits: %s", len(stretches), error)
            self._unwritten = deque([*stretches, *self._unwritten], _MOST_UNWRITTEN)

    def _stretch_now(self) -> int:
        return self._clock.now() // _SECOND // STRETCH * STRETCH


def _keep(transaction: Transaction, stretches: Sequence[Stretch], now: int) -> None:
    records.save_stretches(transaction, stretches)
    records.roll_up(transaction, now)
    records.trim_history(transaction, now)
