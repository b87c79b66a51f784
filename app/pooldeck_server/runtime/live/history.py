"""Keeps the history of the pools: measures the present stretch, and stores each one that ends.

It owns the present stretch and those that wait to be written. The moves of each commit feed it, and
once a second it looks at the pools. Every ten seconds, aligned to the epoch, the recorder gets what
has ended; in the same commit longer stretches are made and old ones deleted. What the database
refuses is kept for an hour: a full disk leaves no gap in the charts.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from pooldeck_server.domain.clock import SECOND, Clock
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.domain.pools.history import STRETCH, Stretch
from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.runtime.background import BackgroundPart
from pooldeck_server.runtime.live.open_stretch import OpenStretch
from pooldeck_server.runtime.live.recent import RecentMinutes
from pooldeck_server.runtime.recording.annotations import Annotations
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.recording.vouched_clock import VouchedClock
from pooldeck_server.store import records
from pooldeck_server.store.transaction import Transaction

_MOST_UNWRITTEN: Final = 3600 // STRETCH
_LATE: Final = 0.01  # seconds after the full one at which we look


@dataclass(kw_only=True, eq=False)
class PoolHistory(BackgroundPart):
    """Measures and keeps."""

    doing = "looking at the pools for their history"

    recorder: Recorder
    annotations: Annotations
    clock: Clock
    vouched: VouchedClock  # by which something is too old
    recent: RecentMinutes
    pools: Callable[[], Sequence[PoolHealth]]  # gives the health of all pools
    _present: OpenStretch = field(init=False, default_factory=OpenStretch)
    _unwritten: deque[Stretch] = field(
        init=False, default_factory=lambda: deque(maxlen=_MOST_UNWRITTEN)
    )
    _writing: asyncio.Task[None] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._at = self._stretch_now()

    async def stop(self) -> None:
        """Look a last time, and write the stretch that has begun."""
        await super().stop()
        self.sample()  # a run of less than a second has a history as well
        if self._writing is not None:
            await self._writing
        self._close()
        await self._write()

    def on_commit(self, moves: Sequence[TaskChanged]) -> None:
        self._present.on_commit(moves)

    async def _run(self) -> None:
        while True:
            self.sample()
            into = self.clock.now() % SECOND / SECOND
            await asyncio.sleep(1 - into + _LATE)

    def sample(self) -> None:
        """Close the stretch if it has ended, then look at the pools once."""
        now = self._stretch_now()
        pools = self.pools()
        self.annotations.annotate_broken(pools)
        self.annotations.annotate_hosts(pools)
        if now != self._at:
            if not self._present.has_samples:  # the server began within its last second
                self._present.add_sample(pools)
            self._close()
            self._at = now
            if self._writing is None or self._writing.done():
                self._writing = asyncio.create_task(self._write())
        self._present.add_sample(pools)
        self.recent.add_sample(pools, self._present, self.clock.monotonic())

    def _close(self) -> None:
        stretch = self._present.close(self._at)
        self.recent.add_stretch(stretch)
        self._unwritten.append(stretch)

    async def _write(self) -> None:
        """Write all that is not written yet, or let it wait for the next time."""
        stretches = list(self._unwritten)
        self._unwritten.clear()
        now, vouched = self.clock.now() // SECOND, self.vouched.now() // SECOND
        write = partial(_keep, stretches=stretches, now=now, vouched=vouched)
        if not await self.recorder.try_perform(
            write, f"the history of {len(stretches)} stretches", is_tried_again=True
        ):
            self._unwritten = deque([*stretches, *self._unwritten], _MOST_UNWRITTEN)

    def _stretch_now(self) -> int:
        return self.clock.now() // SECOND // STRETCH * STRETCH


def _keep(transaction: Transaction, stretches: Sequence[Stretch], now: int, vouched: int) -> None:
    records.save_stretches(transaction, stretches)
    records.roll_up(transaction, now)
    records.trim_history(transaction, vouched)
    records.trim_worker_logs(transaction, vouched)
