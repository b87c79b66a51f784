"""The calls of an embedded pool, from `submit` to the end of their futures.

Everything here runs on the event loop of the pool's thread.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Final

from msgspec import Struct

from pooldeck.embedded.futures import settle
from pooldeck.embedded.pickling import discard
from pooldeck.outcome import Outcome
from pooldeck.pools.listener import PoolListener, RunningCall
from pooldeck.pools.model import PoolState
from pooldeck.pools.port import PoolPort, WorkerSnapshot
from pooldeck.protocol import Call

PATIENCE: Final = 24 * 3600.0  # seconds for workers to leave: what they still do is the user's


class Work(Struct, frozen=True, eq=False):
    """A call and the future that waits for it."""

    call: Call
    future: "Future[Any]"


class WorkerInfo(Struct, frozen=True):
    """A worker at one moment.

    Attributes:
        id: Its name, which no other worker of the pool ever has.
        pid: Its process id.
        state: `starting`, `idle`, `busy` or `stopping`.
        calls_done: How many calls have ended in it.
        function: The name of what it runs, None if it runs nothing.
        elapsed: For how many seconds that has been running.
    """

    id: str
    pid: int
    state: str
    calls_done: int
    function: str | None
    elapsed: float | None


class Dispatcher(PoolListener):
    """Hands calls to a pool, of size 1 at first: it has as many slots as calls, up to the most."""

    def __init__(self, most: int, make_pool: Callable[[PoolListener], PoolPort]) -> None:
        self.broken: str | None = None
        self._most = most
        self._pool = make_pool(self)
        self._waiting: deque[Work] = deque()
        self._running: dict[str, Work] = {}
        self._is_closing = False
        self._done = asyncio.Event()

    async def run(self) -> None:
        """Run calls until the dispatcher is closed and the last one has ended."""
        try:
            await self._pool.start()
            await self._done.wait()
            await self._pool.stop(PATIENCE)
        except BaseException as error:
            self._break(f"the pool's own thread failed: {error!r}")
            raise

    def close(self, *, cancel: bool) -> None:
        """End when the last call has ended; `cancel` those for which no worker was started."""
        self._is_closing = True
        if cancel:
            self._cancel_waiting()
        self._note_done()

    def take(self, work: Work) -> None:
        self._waiting.append(work)
        self._fill()
        self._grow()

    def resize(self, most: int) -> None:
        """Change how many calls may run at a time; those that run are left to end."""
        self._most = most
        if self._pool.size > most:
            self._pool.resize(most)
        self._grow()

    def kill(self, future: "Future[Any]") -> bool:
        """End the worker that runs a call, or cancel the call; tell whether there was one."""
        for task, work in self._running.items():
            if work.future is future:
                return self._pool.kill(task) is not None
        return any(work.future is future for work in self._waiting) and future.cancel()

    def workers(self) -> list[WorkerInfo]:
        return [_described(worker) for worker in self._pool.snapshot().workers]

    # What the pool says.

    def has_room(self) -> None:
        self._fill()

    def finished(self, run: RunningCall, outcome: Outcome) -> None:
        work = self._running.pop(run.call.task)
        settle(work.future, outcome)
        self._note_done()

    def changed(self) -> None:
        is_broken = self._pool.state is PoolState.BROKEN and self._pool.is_given_up
        if is_broken and self.broken is None:
            self._break(self._pool.reason or "its workers cannot start")

    def returned(self, calls: list[Call]) -> None:
        """Take back what a worker did not start."""
        self._waiting.extendleft(self._running.pop(call.task) for call in reversed(calls))
        self._fill()

    # The account of calls.

    def _fill(self) -> None:
        while self._waiting and self._pool.free:
            work = self._waiting.popleft()
            if _shall_run(work):
                self._running[work.call.task] = work
                self._pool.post(work.call)
        self._note_done()

    def _grow(self) -> None:
        """Start as many workers as there are calls, up to the most; they stay."""
        wanted = min(self._most, len(self._running) + len(self._waiting))
        if wanted > self._pool.size:
            self._pool.resize(wanted)

    def _cancel_waiting(self) -> None:
        """Cancel what waits beyond the workers that are being started for it."""
        kept = max(0, self._pool.size - len(self._running))
        for work in list(self._waiting)[kept:]:
            work.future.cancel()
            _shall_run(work)
        self._waiting = deque(list(self._waiting)[:kept])

    def _break(self, reason: str) -> None:
        """Give up: what waits fails, what runs has its chance."""
        self.broken = f"No calls are run any more: {reason}"
        while self._waiting:
            work = self._waiting.popleft()
            if _shall_run(work):
                work.future.set_exception(BrokenProcessPool(self.broken))
        self._note_done()

    def _note_done(self) -> None:
        if self._is_closing and not self._waiting and not self._running:
            self._done.set()


def _shall_run(work: Work) -> bool:
    """Mark a call as running; tell whether it still shall, and was not cancelled meanwhile."""
    if work.future.running() or work.future.set_running_or_notify_cancel():
        return True
    discard(work.call.args)
    return False


def _described(worker: WorkerSnapshot) -> WorkerInfo:
    running = next(iter(worker.calls), None)
    began = None if running is None else running.started_at
    return WorkerInfo(
        worker.id,
        worker.pid,
        worker.state.value,
        worker.tasks_done,
        None if running is None else running.call.function,
        None if began is None else time.monotonic() - began,
    )
