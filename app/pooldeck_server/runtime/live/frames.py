"""Tells whoever looks what has changed, after it is stored.

It owns those who wait for a task's end, and the frames: one picture of everything, built at most a
few times a second while somebody looks, the same object for every browser. The recorder feeds it
after each commit. What it says is a hint; the store is the truth, and a reader that falls behind
simply sees a later frame.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import TooManyStreams
from pooldeck_server.domain.frames import Frame
from pooldeck_server.domain.notices import Notice
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.domain.tasks.states import FINAL
from pooldeck_server.runtime.background import Background
from pooldeck_server.runtime.tasks.counts import Counts

FRAME_SECONDS: Final = 0.25
_NAMED_CHANGES: Final = 200


class Feed:
    """Frames for browsers, and ends for those who wait.

    Args:
        clock: The server's time.
        tally: The counts; the feed keeps them up to date.
        pools: Gives the pools' health now.
        attention: Gives what needs attention beside the pools.
        incidents: Gives the number of incidents in the last 24 hours.
        streams: How many subscriptions may be open at once.
    """

    def __init__(
        self,
        clock: Clock,
        tally: Counts,
        pools: Callable[[], tuple[PoolHealth, ...]],
        attention: Callable[[], tuple[Notice, ...]],
        *,
        incidents: Callable[[], int],
        streams: int,
    ) -> None:
        self._clock = clock
        self._tally = tally
        self._pools = pools
        self._attention = attention
        self._incidents = incidents
        self._streams = streams
        self._waiters: dict[str, list[asyncio.Future[None]]] = {}
        self._changed: set[str] = set()
        self._seq = 0
        self._frame = self._build(())
        self._glance = self._frame
        self._glanced_at = clock.monotonic()
        self._stirred = asyncio.Event()
        self._new_frame = asyncio.Condition()
        self._subscribers = 0
        self._closed = False
        self._builder = Background("building the live picture", self._build_frames)

    def start(self) -> None:
        """Begin to build frames."""
        self._builder.start()

    async def stop(self) -> None:
        """End every subscription, and answer those who wait with what there is."""
        self.close_streams()
        await self.release_waiters(patience=0)
        await self._builder.stop()
        await self._tell()  # those who follow, if nobody has

    def close_streams(self) -> None:
        """End every subscription; further ones end at once."""
        self._closed = True
        self._stirred.set()

    async def release_waiters(self, patience: float) -> None:
        """Answer those who wait with what there is.

        Args:
            patience: Seconds for the ends that they wait for, if these are on their way to the
                disk.
        """
        waiting = [future for futures in self._waiters.values() for future in futures]
        if waiting:
            await asyncio.wait(waiting, timeout=patience)
        for task_id in list(self._waiters):
            self._release(task_id)

    # What has been committed.

    def on_commit(self, moves: Sequence[TaskChanged]) -> None:
        """Take the moves of a commit."""
        if not moves:
            return
        self._tally.on_commit(moves, self._clock.monotonic())
        if self._waiters:
            for move in moves:
                if move.state in FINAL:
                    self._release(move.id)
        if self._subscribers and len(self._changed) <= _NAMED_CHANGES:
            self._changed.update(move.id for move in moves)
        self.mark_dirty()

    def mark_dirty(self) -> None:
        """Note that the picture has changed."""
        if self._subscribers:
            self._stirred.set()

    def invalidate(self) -> None:
        """Note that somebody has just changed the picture and wants to see it changed."""
        self._glanced_at = -math.inf
        self.mark_dirty()

    def _release(self, task_id: str) -> None:
        for future in self._waiters.pop(task_id, ()):
            if not future.done():
                future.set_result(None)

    # For those who wait and look.

    @contextmanager
    def waiter(self, task_id: str) -> Iterator["asyncio.Future[None]"]:
        """Give a future that is done when the end of a task is announced.

        What was announced before is not announced again: take the future first, then look at
        the task.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(task_id, []).append(future)
        try:
            yield future
        finally:
            futures = self._waiters.get(task_id, [])
            if future in futures:
                futures.remove(future)
            if not futures:
                self._waiters.pop(task_id, None)

    def latest(self) -> Frame:
        """Return the picture as it is now, at most a fraction of a second old."""
        now = self._clock.monotonic()
        if now - self._glanced_at >= FRAME_SECONDS:
            self._glance = self._build(())
            self._glanced_at = now
        return self._glance

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[AsyncIterator[Frame]]:
        """Follow the picture: an iterator of frames that begins with the present one.

        Raises:
            TooManyStreams: If as many subscriptions as allowed are open.
        """
        if self._subscribers >= self._streams:
            raise TooManyStreams(
                f"{self._streams} live streams are open, which is the limit", retry_after=5
            )
        self._subscribers += 1
        try:
            yield self._frames()
        finally:
            self._subscribers -= 1

    async def _frames(self) -> AsyncIterator[Frame]:
        frame = self._build(())
        while not self._closed:
            yield frame
            frame = await self._after(frame)

    async def _after(self, seen: Frame) -> Frame:
        """Wait for a newer frame than `seen`, or for the end."""
        async with self._new_frame:
            await self._new_frame.wait_for(lambda: self._closed or self._frame.seq > seen.seq)
        return self._frame

    async def _build_frames(self) -> None:
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            if self._closed:
                break
            self._seq += 1
            self._frame = self._build(self._take_changed())
            await self._tell()
            await asyncio.sleep(FRAME_SECONDS)
        await self._tell()  # that this is the end

    async def _tell(self) -> None:
        async with self._new_frame:
            self._new_frame.notify_all()

    def _take_changed(self) -> tuple[str, ...] | None:
        changed, self._changed = self._changed, set()
        return tuple(changed) if len(changed) <= _NAMED_CHANGES else None

    def _build(self, changed: tuple[str, ...] | None) -> Frame:
        now = self._clock.monotonic()
        pools = self._pools()
        waits = [pool.oldest_wait for pool in pools if pool.oldest_wait is not None]
        return Frame(
            seq=self._seq,
            at=self._clock.now(),
            counts=self._tally.counts(),
            window=self._tally.window(now),
            throughput=self._tally.throughput(now),
            oldest_wait=max(waits, default=None),
            pools=pools,
            notices=self._attention(),
            changed=changed,
            incidents=self._incidents(),
        )
