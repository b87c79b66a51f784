"""One pool's queue: which task runs next, and what became of those handed over.

It owns the backlog of its pool and the tasks in hand. Intake offers it what is stored; it claims
the best of them through the recorder, hands a claimed task to the pool when a slot is free, and
turns what the pool reports into records. Everything runs on the event loop.

A claim is committed before its task is handed over. Claims run ahead of free slots only as far as
the pool gets through while a claim is on its way to the disk: tasks that take long, or that have
never run, are claimed when a slot is free and not before.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final, NamedTuple

from app.domain.clock import Clock
from app.domain.errors import PooldeckError
from app.domain.tasks import Claim, End, ProgressMark, QueuedTask
from app.runtime.attempts import Attempt
from app.runtime.backlog import Backlog
from app.runtime.claimed import Claimed
from app.runtime.recorder import Recorder
from app.runtime.usual import Usual
from app.store import queries, records
from app.store.database import Reader
from pooldeck.crew import PoolState, Running, Worker
from pooldeck.functions import FunctionSpec
from pooldeck.outcome import Outcome
from pooldeck.pool import Pool
from pooldeck.protocol import Call, LogLine, Progress

_log = logging.getLogger(__name__)
_AHEAD: Final = 1000  # claims ahead of free slots, at most
_RETRY_SECONDS: Final = 0.5
_UNKNOWN_WORK: Final = 1.0  # seconds that a task may take whose function has never run
_SMOOTHING: Final = 0.2  # weight of the newest figure in a running mean
_BEFORE_ALL: Final = (-1000, 0)  # an order that comes before every task's
_AFTER_ALL: Final = (1000, 0)


class Reservation(NamedTuple):
    """A place for a task that is being stored: its expected work, and when it was asked for."""

    seconds: float
    asked_at: float


class Dispatcher:
    """Feeds one pool. It is the pool's listener.

    Args:
        recorder: Where claims, starts and ends go.
        reader: Where the backlog is refilled from.
        clock: The server's time.
        usual: How long functions usually take.
        memory: How many queued tasks to hold in memory.
        on_functions: Told which functions a worker of the pool reports.
        on_change: Told that the pool's picture changed.
    """

    def __init__(
        self,
        *,
        recorder: Recorder,
        reader: Reader,
        clock: Clock,
        usual: Usual,
        memory: int,
        on_functions: Callable[[list[FunctionSpec]], None],
        on_change: Callable[[], None],
    ) -> None:
        self.pool: Pool  # set by attach(): a pool and its listener know each other
        self._recorder = recorder
        self._reader = reader
        self._clock = clock
        self._usual = usual
        self._memory = memory
        self._on_functions = on_functions
        self._on_change = on_change
        self._backlog = Backlog(memory)
        self._claiming: dict[int, QueuedTask] = {}
        self._claim_work: asyncio.Task[None] | None = None
        self._claim_seconds = 0.002  # running mean of how long a claim takes
        self._claimed = Claimed()
        self._reserved = 0  # tasks that are stored and claimed by a commit on its way
        self._handed: dict[str, Attempt] = {}
        self._begun: dict[str, tuple[Worker, Running]] = {}  # started in this turn of the loop
        self._ended: list[End] = []  # in this turn, too
        self._is_reporting = False
        self._refilling = False
        self._missed = _AFTER_ALL  # the best order that was offered in vain during a refill
        self._draining = False
        self._works: set[asyncio.Task[None]] = set()

    def attach(self, pool: Pool) -> None:
        """Name the pool to feed."""
        self.pool = pool

    # What comes in.

    def offer(self, task: QueuedTask) -> None:
        """Take a task that is stored as queued."""
        if not self._backlog.offer(task) and self._refilling:
            self._missed = min(self._missed, task.order)

    def reserve(self, function: str) -> Reservation | None:
        """Let a task that is about to be stored be claimed by the same commit, if it can run next.

        Returns:
            What to give back to `accept` or `give_up`; None if the task has to queue.
        """
        if self._draining or self._claiming or self._refilling or not self._backlog.is_exhausted:
            return None
        seconds = self._usual.work(function)
        if self.pool.free <= len(self._claimed) + self._reserved and (
            seconds is None or seconds * (1 + self._reserved) > self._seconds_ahead()
        ):
            return None
        self._reserved += 1
        return Reservation(seconds or _UNKNOWN_WORK, self._clock.monotonic())

    def accept(self, task: QueuedTask, reservation: Reservation) -> None:
        """Take a task that is stored and claimed."""
        self._reserved -= 1
        self._note_claim(reservation.asked_at)
        self._claimed.add(task, reservation.seconds)
        self.pump()

    def give_up(self) -> None:
        """Note that a task with a reservation was not stored."""
        self._reserved -= 1

    def look_again(self) -> None:
        """Note that tasks became queued in the store that were not offered here."""
        self._backlog.mark_incomplete(_BEFORE_ALL)
        if self._refilling:
            self._missed = _BEFORE_ALL
        self.pump()

    async def cancel(self, seq: int, now: int) -> bool:
        """Cancel a task that no worker has, whether it waits here or in the store only.

        Returns:
            Whether it is cancelled; if not, it has been handed over or is final.

        Raises:
            StorageUnavailable: If it could not be written; the task waits on as before.
        """
        if seq in self._claiming and self._claim_work is not None:
            await asyncio.shield(self._claim_work)
        if any(attempt.task.seq == seq for attempt in self._handed.values()):
            return False
        waiting = self._backlog.remove(seq)
        claimed = self._claimed.remove(seq)
        try:
            return bool(await self._recorder.perform(lambda tx: records.cancel(tx, [seq], now)))
        except PooldeckError:
            if claimed is not None:
                self._claimed.add(*claimed)
            if waiting is not None:
                self.offer(waiting)
            self.pump()
            raise

    def has_handed(self, task_id: str) -> bool:
        """Tell whether a worker has this task."""
        return task_id in self._handed

    @property
    def oldest(self) -> QueuedTask | None:
        """Return the task in memory that has waited longest; None if none waits."""
        return self._backlog.oldest()

    # From the backlog to the pool.

    def pump(self) -> None:
        """Move tasks on as far as they can go now: hand over, claim, refill."""
        while self._claimed and not self._draining and self._hand_over(self._claimed.first):
            self._claimed.take()
        if self._draining or self._claiming:
            return  # one claim at a time: what gathers meanwhile goes with the next
        if self._backlog and (chosen := self._choose()):
            self._claiming = {task.seq: task for task in chosen}
            self._claim_work = self._work(self._claim(chosen))
        if self._backlog.runs_low and not self._refilling:
            self._refilling = True
            self._work(self._refill())

    def _choose(self) -> list[QueuedTask]:
        """Take the tasks to claim now from the backlog."""
        chosen: list[QueuedTask] = []
        slots_left = self.pool.free - len(self._claimed) - self._reserved
        seconds_left = self._seconds_ahead()
        if slots_left <= 0 and not seconds_left:
            return chosen
        while len(chosen) < _AHEAD and (task := self._backlog.peek()) is not None:
            if slots_left > 0:
                slots_left -= 1
            else:
                seconds = self._usual.work(task.function)
                if seconds is None or seconds > seconds_left:
                    break
                seconds_left -= seconds
            chosen.append(self._backlog.pop())
        return chosen

    def _seconds_ahead(self) -> float:
        """Return the work, in seconds of slots, by which claims may now run ahead of free slots.

        In all it is twice what the slots get through during one claim: one share is used up while
        the next claim is on its way, the other is what that claim brings. Nothing is claimed
        ahead before half of that is used up, since a claim costs a commit.
        """
        if self.pool.state is not PoolState.RUNNING:
            return 0.0
        lead = 2 * self._claim_seconds * self.pool.spec.size
        return lead - self._claimed.seconds if self._claimed.seconds < lead / 2 else 0.0

    async def _claim(self, chosen: list[QueuedTask]) -> None:
        asked_at = self._clock.monotonic()
        try:
            claims = [Claim(task.seq, task.attempt + 1) for task in chosen]
            granted = await self._recorder.perform(lambda tx: records.claim(tx, claims))
        except PooldeckError:
            for task in chosen:
                self.offer(task)
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            for task in chosen:
                if task.seq in granted:
                    self._claimed.add(task, self._usual.work(task.function) or _UNKNOWN_WORK)
            self._note_claim(asked_at)
        self._claiming = {}
        self.pump()

    def _note_claim(self, asked_at: float) -> None:
        """Keep the mean of how long claims take up to date."""
        seconds = self._clock.monotonic() - asked_at
        self._claim_seconds += _SMOOTHING * (seconds - self._claim_seconds)

    def _hand_over(self, task: QueuedTask) -> bool:
        """Give a claimed task to the pool; return whether there was room for it."""
        number = task.attempt + 1
        call = Call(task.id, number, task.function, task.args.encode(), task.kwargs.encode())
        if not self.pool.post(call, is_quick=self._usual.is_quick(task.function)):
            return False
        self._handed[task.id] = Attempt(task, number)
        return True

    async def _refill(self) -> None:
        """Read the best of the queue from the store, leaving out what is in hand."""
        self._missed = _AFTER_ALL
        try:
            front = await self._reader.run(queries.queued, self.pool.spec.name, self._memory)
        except PooldeckError:
            _log.exception("the queue of pool %s could not be read", self.pool.spec.name)
            await asyncio.sleep(_RETRY_SECONDS)
            self._refilling = False
            self.pump()
            return
        in_hand = self._in_hand()
        fresh = [task for task in front.tasks if task.seq not in in_hand]
        self._backlog.refill(fresh, more=front.has_more)
        if self._missed < _AFTER_ALL:
            self._backlog.mark_incomplete(self._missed)
        self._refilling = False
        self.pump()

    def _in_hand(self) -> set[int]:
        return (
            self._claiming.keys()
            | {task.seq for task in self._claimed}
            | {attempt.task.seq for attempt in self._handed.values()}
        )

    def _work(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._works.add(task)
        task.add_done_callback(self._works.discard)
        return task

    # Start and stop.

    async def start(self) -> None:
        """Fill the backlog from the store and start the pool's workers."""
        self._refilling = True
        await self._refill()
        await self.pool.start()

    def drain(self) -> None:
        """Hand out nothing more."""
        self._draining = True

    async def stop(self, grace: float) -> None:
        """Let what runs end for `grace` seconds, end the workers, take unused claims back."""
        self._draining = True
        await self.pool.stop(grace)
        self._report()
        await asyncio.gather(*self._works, return_exceptions=True)
        await self._release()

    async def _release(self) -> None:
        """Take back the claims of tasks that no worker has; they queue as before."""
        unused = []
        while self._claimed:
            unused.append(self._claimed.take())
        claims = [Claim(task.seq, task.attempt + 1) for task in unused]
        if claims:
            await self._recorder.perform(lambda tx: records.release(tx, claims))
        for task in unused:
            self.offer(task)

    # What the pool reports.

    def started(self, worker: Worker, running: Running) -> None:
        """Note a start, to be recorded with what else this turn of the event loop brings."""
        if (attempt := self._handed.get(running.call.task)) is not None:
            attempt.begin(running, self._clock)
            self._begun[running.call.task] = (worker, running)
            self._report_soon()

    def finished(self, worker: Worker, running: Running, outcome: Outcome) -> None:
        """Note an end, to be recorded with what else this turn of the event loop brings."""
        attempt = self._handed.pop(running.call.task, None)
        if attempt is None:
            return
        if self._begun.pop(running.call.task, None) is None and attempt.started_at is None:
            attempt.begin(running, self._clock)
        now = self._clock.monotonic()
        run = now - (running.started_at or now)
        if outcome.measurement is not None:
            run = outcome.measurement.run
            self._usual.note(attempt.task.function, outcome.measurement)
        self._ended.append(attempt.end(worker, running, outcome, run, self._clock.now()))
        self._report_soon()

    def _report_soon(self) -> None:
        if not self._is_reporting:
            self._is_reporting = True
            asyncio.get_running_loop().call_soon(self._report)

    def _report(self) -> None:
        """Record the starts that have not ended yet, and the ends."""
        self._is_reporting = False
        starts = [self._handed[task].start(*begun) for task, begun in self._begun.items()]
        self._recorder.happened(starts, self._ended)
        self._begun, self._ended = {}, []
        self._on_change()

    def progressed(self, progress: Progress) -> None:
        """Record how far a task is."""
        if (attempt := self._handed.get(progress.task)) is not None:
            self._recorder.progressed(
                ProgressMark(
                    seq=attempt.task.seq,
                    attempt=attempt.number,
                    fraction=progress.fraction,
                    message=progress.message,
                )
            )
            self._on_change()

    def logged(self, task: str, lines: list[LogLine]) -> None:
        """Record log lines."""
        if (attempt := self._handed.get(task)) is not None:
            self._recorder.logged(attempt.entries(lines))

    def returned(self, calls: list[Call]) -> None:
        """Let tasks that no worker started wait for the next slot, before all others."""
        for call in reversed(calls):
            if (attempt := self._handed.pop(call.task, None)) is not None:
                task = attempt.task
                self._claimed.put_back(task, self._usual.work(task.function) or _UNKNOWN_WORK)
        self.pump()

    def described(self, functions: list[FunctionSpec]) -> None:
        """Pass on which functions a worker has."""
        self._on_functions(functions)

    def has_room(self) -> None:
        """Use the room."""
        self.pump()

    def changed(self) -> None:
        """Pass on that the pool's health changed; a broken pool keeps no claims."""
        if self.pool.state is PoolState.BROKEN and self._claimed:
            self._work(self._release())
        self._on_change()
