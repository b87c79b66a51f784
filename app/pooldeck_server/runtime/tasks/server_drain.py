"""The drain of the whole server: nothing new is taken, what runs goes on, until somebody resumes.

The door, the dispatchers and the probe ask it. It changes nothing in the pools, so that what was
set by hand for them stays as it was. It is not kept: a restart is what most drains are for, and the
server that comes after it takes tasks again.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pooldeck.pools.model import PoolState
from pooldeck_server.domain.actions import Deed
from pooldeck_server.domain.clock import Clock, span
from pooldeck_server.domain.clock import seconds as in_seconds
from pooldeck_server.domain.drains import Drained, DrainOrder, DrainProgress
from pooldeck_server.domain.errors import Conflict, Draining
from pooldeck_server.runtime import acting
from pooldeck_server.runtime.background import BackgroundPart
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.recording.annotations import Annotations
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher

_log = logging.getLogger(__name__)
_LOOK_SECONDS: Final = 0.1
_RETRY_SECONDS: Final = 30  # for who submits meanwhile, where it is not known when to come back


@dataclass(kw_only=True, eq=False)
class ServerDrain(BackgroundPart):
    """Whether the server is drained, by whose order, and how far that is."""

    doing = "looking how far the drain is"

    clock: Clock
    recorder: Recorder
    annotations: Annotations
    changes: LiveChanges
    queues: Mapping[str, Dispatcher]  # filled later
    usual: Callable[[str], float | None]  # seconds that nearly all runs of a function take at most
    queued: Callable[[str], int]  # how many tasks are queued in a pool
    is_closing: Callable[[], bool]  # tells whether the server was told to end
    end: Callable[[float | None], None]  # given the seconds that what runs has; None: the usual
    order: DrainOrder | None = field(init=False, default=None)
    _ordered: asyncio.Event = field(init=False, default_factory=asyncio.Event)

    @property
    def is_on(self) -> bool:
        return self.order is not None

    @property
    def holds_queue(self) -> bool:
        """Tell whether what waits is to go on waiting."""
        return self.order is not None and not self.order.finishes_queue

    @property
    def drained(self) -> Drained | None:
        """Return who drains the server and why, None if nobody does."""
        return Drained(self.order.by, self.order.reason) if self.order else None

    def check(self) -> None:
        """Refuse what is new.

        Raises:
            Draining: If the server is drained.
        """
        if (order := self.order) is None:
            return
        left = self._left(order)
        wait = _RETRY_SECONDS if left is None else max(1, min(int(left) + 1, _RETRY_SECONDS))
        raise Draining(
            f"the server takes nothing new: it is drained by {self._words()}; submit again when it "
            "is resumed, or back",
            retry_after=wait,
        )

    def begin(
        self,
        by: str,
        reason: str | None = None,
        *,
        seconds: float | None = None,
        stops: bool = False,
        finishes_queue: bool = False,
    ) -> DrainProgress:
        """Take nothing new from now on; an order that stands is replaced by this one.

        Args:
            by: Who asks.
            reason: Why, for the record.
            seconds: How long it may take; with `stops` the server ends after that in any case.
            stops: Whether the server ends when nothing runs any more.
            finishes_queue: Whether what is queued runs first, instead of waiting in the store.

        Raises:
            Draining: If the server ends already.
        """
        if self.is_closing():
            raise Draining("the server is shutting down already", retry_after=5)
        now = self.clock.now()
        self.order = DrainOrder(
            by=by,
            since=self.order.since if self.order else now,
            reason=reason or None,
            until=None if seconds is None else now + span(seconds),
            stops=stops,
            finishes_queue=finishes_queue,
        )
        self.annotations.annotate("server_drain", reason=reason, by=by, stops=stops)
        how = {"stop": stops, "seconds": seconds, "finish_queue": finishes_queue}
        self._act(Deed.DRAIN, reason, how)
        _log.warning("the server is drained by %s: nothing new is taken", self._words())
        self._changed()
        self._ordered.set()
        return self._progress(self.order)

    def resume(self, by: str) -> None:
        """Take tasks again, and hand out what waits.

        Raises:
            Conflict: If the server is not drained.
            Draining: If it ends already.
        """
        if self.is_closing():
            raise Draining("the server is shutting down already", retry_after=5)
        if self.order is None:
            raise Conflict("the server is not drained")
        self.order = None
        self._ordered.clear()
        self.annotations.annotate("server_resume", by=by)
        self._act(Deed.RESUME)
        _log.warning("the server takes tasks again: resumed by %s", by)
        self._changed()

    def _act(
        self, deed: Deed, reason: str | None = None, after: dict[str, Any] | None = None
    ) -> None:
        now = self.clock.now()
        self.recorder.record_action(acting.action(now, deed, "server", after=after, reason=reason))

    def progress(self) -> DrainProgress | None:
        """Return how far it is; None while the server is not drained."""
        return None if self.order is None else self._progress(self.order)

    def _progress(self, order: DrainOrder) -> DrainProgress:
        calls = [
            call
            for queue in self.queues.values()
            for worker in queue.pool.snapshot().workers
            for call in worker.calls
        ]
        now = self.clock.monotonic()
        rest = [self._rest(call.call.function, now - (call.started_at or now)) for call in calls]
        known = [each for each in rest if each is not None]
        queued = self._queued(order)
        return DrainProgress(
            order=order,
            running=len(calls),
            queued=queued,
            left=self._left(order),
            about=max(known, default=0.0) if len(known) == len(rest) and not queued else None,
        )

    def _rest(self, function: str, elapsed: float) -> float | None:
        usual = self.usual(function)
        return None if usual is None else max(0.0, usual - elapsed)

    def _left(self, order: DrainOrder) -> float | None:
        return None if order.until is None else max(0.0, in_seconds(order.until - self.clock.now()))

    def _changed(self) -> None:
        for queue in self.queues.values():
            queue.pump()
        self.changes.invalidate()

    def _words(self) -> str:
        drained = self.drained
        return drained.words if drained else ""

    async def _run(self) -> None:
        while True:
            await self._ordered.wait()
            self.step()
            await asyncio.sleep(_LOOK_SECONDS)

    def step(self) -> None:
        """End the server if that is due by the order that stands."""
        order = self.order
        if order is None or not order.stops or self.is_closing():
            return
        is_over = order.until is not None and self.clock.now() >= order.until
        if is_over or not self._is_busy(order):
            _log.warning(
                "the server ends, drained by %s: %s",
                self._words(),
                "its time is over" if is_over else "nothing runs any more",
            )
            self.end(0.0 if is_over else None)

    def _is_busy(self, order: DrainOrder) -> bool:
        if any(queue.has_work for queue in self.queues.values()):
            return True
        return self._queued(order) > 0

    def _queued(self, order: DrainOrder) -> int:
        """Return how many tasks are still to be run: those of pools that hand anything out."""
        if not order.finishes_queue:
            return 0
        return sum(
            self.queued(name)
            for name, queue in self.queues.items()
            if queue.pool.state is PoolState.RUNNING
        )
