"""When to give up a call: at its timeout, or because its start is not reported.

Each worker has one alarm, set for the earliest moment at which one of its calls could be overdue.
It is not moved when that call ends: it goes off, finds nothing, and is set for the next. So a call
that ends in time costs a comparison.
"""

import asyncio
import math
import time
from collections.abc import Callable, Iterable
from typing import Final

from pooldeck.kinds import KINDS
from pooldeck.pools.model import PoolSpec
from pooldeck.pools.worker import EndReason, Running, Worker

_LATE: Final = 0.25  # seconds by which an alarm is late if the event loop was held up
_SECOND_LOOK: Final = 0.05
_SWEEP_SECONDS: Final = 5.0  # for a command that was killed to be gone, with all that it started


class Deadlines:
    """Watches over a pool's calls; tells `overdue` of one, and why: TIMEOUT or UNSTARTED."""

    def __init__(
        self, spec: PoolSpec, overdue: Callable[[Worker, Running, EndReason], None]
    ) -> None:
        self._kind = KINDS[spec.kind]
        self._start_seconds = spec.start_seconds
        self._asked_seconds = spec.asked_seconds
        self._overdue = overdue

    def note(self, worker: Worker, running: Running) -> None:
        patience, timeout = self._start_seconds, running.call.timeout
        if timeout is not None:
            patience = min(patience, timeout + self._grace(worker, running))
        if running.posted_at + patience < worker.alarm_at:
            self._set(worker, running.posted_at + patience)

    def forget(self, worker: Worker) -> None:
        if worker.alarm is not None:
            worker.alarm.cancel()
        worker.alarm, worker.alarm_at = None, math.inf

    def _set(self, worker: Worker, at: float) -> None:
        self.forget(worker)
        worker.alarm_at = at
        delay = at - time.monotonic()
        worker.alarm = asyncio.get_running_loop().call_later(delay, self._go_off, worker)

    def _go_off(self, worker: Worker) -> None:
        """Look at once, unless the event loop was held up: it then reads first what came in."""
        if time.monotonic() - worker.alarm_at > _LATE:
            loop = asyncio.get_running_loop()
            worker.alarm = loop.call_later(_SECOND_LOOK, self._look, worker)
        else:
            self._look(worker)

    def _look(self, worker: Worker) -> None:
        """Report what is overdue and set the alarm for what may be next."""
        self.forget(worker)
        now = time.monotonic()
        next_at = math.inf
        for running in self._watched(worker):
            due_at, verdict = self._due(worker, running)
            if due_at > now:
                next_at = min(next_at, due_at)
                continue
            running.looked_at = now
            running.looks += 1
            self._overdue(worker, running, verdict)
            if verdict is EndReason.UNSTARTED:
                next_at = min(next_at, now + self._start_seconds)
        if next_at < math.inf and worker.verdict is None:
            self._set(worker, next_at)

    def _watched(self, worker: Worker) -> Iterable[Running]:
        """Return the calls that may be overdue; what waits behind another is not."""
        if worker.verdict is not None or not worker.running:
            return ()
        return self._kind.at_risk(worker.running.values())

    def _due(self, worker: Worker, running: Running) -> tuple[float, EndReason]:
        """Return when a call is overdue, and why it will be.

        A worker that runs one call at a time turns to its next at once. If that start is not
        reported, since C code holds the GIL, the timeout counts from then.
        """
        timeout = running.call.timeout
        since = running.started_at
        if since is None and self._kind.is_alone:
            since = max(running.posted_at, worker.turned_at)
        ends_at = math.inf
        if since is not None and timeout is not None:
            ends_at = since + timeout + self._grace(worker, running)
        if running.started_at is not None:
            return ends_at, EndReason.TIMEOUT
        begins_at = max(since or running.posted_at, running.looked_at) + self._start_seconds
        return min((ends_at, EndReason.TIMEOUT), (begins_at, EndReason.UNSTARTED))

    def _grace(self, worker: Worker, running: Running) -> float:
        """Return how long after its deadline a call may take to end itself."""
        command = worker.command(running.call)
        if command is None:
            return self._asked_seconds
        return command.grace_seconds + _SWEEP_SECONDS
