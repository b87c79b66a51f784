"""Frames: one picture of everything, the same object for every browser.

A frame is built at most a few times a second, and only while somebody looks. What it says is a
hint; the store is the truth, and a reader that falls behind simply sees a later frame.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import TooManyStreams
from pooldeck_server.domain.frames import Frame
from pooldeck_server.domain.notices import Notice
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.runtime.background import BackgroundPart
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.tasks.counts import Counts

FRAME_SECONDS: Final = 0.25
_NAMED_CHANGES: Final = 200


@dataclass(kw_only=True, eq=False)
class Frames(BackgroundPart):
    """The latest frame, and the subscriptions to those that follow."""

    doing = "building the live picture"

    clock: Clock
    changes: LiveChanges
    counts: Counts
    pools: Callable[[], tuple[PoolHealth, ...]]
    notices: Callable[[], tuple[Notice, ...]]  # what needs attention beside the pools
    incidents: Callable[[], int]  # how many there were in the last 24 hours
    streams: int  # how many subscriptions may be open at once
    _changed: set[str] = field(init=False, default_factory=set)
    _seq: int = field(init=False, default=0)
    _subscribers: int = field(init=False, default=0)
    _is_closed: bool = field(init=False, default=False)
    _new_frame: asyncio.Condition = field(init=False, default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        self._frame = self._glance = self._build(())
        self._glanced_at = self.clock.monotonic()

    async def stop(self) -> None:
        self.close()
        await super().stop()
        await self._notify()  # if the builder has not

    def close(self) -> None:
        """End every subscription soon; further ones end at once."""
        self._is_closed = True
        self.changes.mark_dirty()

    def on_commit(self, moves: Sequence[TaskChanged]) -> None:
        if self._subscribers and len(self._changed) <= _NAMED_CHANGES:
            self._changed.update(move.id for move in moves)
        self.changes.mark_dirty()

    def latest(self) -> Frame:
        """Return the picture as it is now, at most a fraction of a second old."""
        now = self.clock.monotonic()
        if self.changes.is_awaited or now - self._glanced_at >= FRAME_SECONDS:
            self.changes.is_awaited = False
            self._glance = self._build(())
            self._glanced_at = now
        return self._glance

    @property
    def subscribers(self) -> int:
        return self._subscribers

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[AsyncIterator[Frame]]:
        """Follow the picture: an iterator of frames that begins with the present one.

        Raises:
            TooManyStreams: If as many subscriptions as allowed are open.
        """
        if self._subscribers >= self.streams:
            raise TooManyStreams(
                f"{self.streams} live streams are open, which is the limit", retry_after=5
            )
        self._subscribers += 1
        try:
            yield self._frames()
        finally:
            self._subscribers -= 1

    async def _frames(self) -> AsyncIterator[Frame]:
        frame = self._build(())
        while not self._is_closed:
            yield frame
            frame = await self._after(frame)

    async def _after(self, seen: Frame) -> Frame:
        """Wait for a newer frame than `seen`, or for the end."""
        async with self._new_frame:
            await self._new_frame.wait_for(lambda: self._is_closed or self._frame.seq > seen.seq)
        return self._frame

    async def _run(self) -> None:
        while True:
            await self.changes.are_there.wait()
            self.changes.are_there.clear()
            if self._is_closed:
                break
            if self._subscribers:
                self._seq += 1
                self._frame = self._build(self._take_changed())
                await self._notify()
            await asyncio.sleep(FRAME_SECONDS)
        await self._notify()  # that this is the end

    async def _notify(self) -> None:
        async with self._new_frame:
            self._new_frame.notify_all()

    def _take_changed(self) -> tuple[str, ...] | None:
        changed, self._changed = self._changed, set()
        return tuple(changed) if len(changed) <= _NAMED_CHANGES else None

    def _build(self, changed: tuple[str, ...] | None) -> Frame:
        pools = self.pools()
        waits = [pool.oldest_wait for pool in pools if pool.oldest_wait is not None]
        return Frame(
            seq=self._seq,
            at=self.clock.now(),
            counts=self.counts.counts(),
            window=self.counts.window(),
            throughput=self.counts.throughput(),
            oldest_wait=max(waits, default=None),
            pools=pools,
            notices=self.notices(),
            changed=changed,
            incidents=self.incidents(),
        )
