"""One pool's queue: which task runs next, and how it gets there.

It owns the backlog of its pool. Intake offers it what is stored; it claims the best of that through
the recorder, and hands a claimed task to the pool when a slot is free. What becomes of it there is
the business of `app.runtime.work.in_hand`. Everything runs on the event loop.

A claim is committed before its task is handed over. Claims run ahead of free slots only as far as
the pool gets through while a claim is on its way to the disk: tasks that take long, or that have
never run, are claimed when a slot is free and not before.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
from typing import Any, Final, NamedTuple

from app.domain.clock import Clock
from app.domain.errors import PooldeckError
from app.domain.profiles import PoolKind
from app.domain.submissions import CancelOutcome
from app.domain.tasks import Claim, QueuedTask
from app.runtime.advice.profiles import Profiles
from app.runtime.record.log_file import LogFile
from app.runtime.record.recorder import Recorder
from app.runtime.work.backlog import Backlog
from app.runtime.work.claimed import Claimed
from app.runtime.work.holds import Holds
from app.runtime.work.in_hand import InHand
from app.runtime.work.incidents import Incidents
from app.runtime.work.usual import Usual
from app.store import queries, records
from app.store.database import Reader
from pooldeck.functions import FunctionSpec
from pooldeck.pools.crew import PoolState
from pooldeck.pools.pool import Pool

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
    """Feeds one pool.

    Args:
        name: The pool's name.
        kind: Its kind.
        recorder: Where claims go.
        reader: Where the backlog is refilled from.
        clock: The server's time.
        usual: How long functions usually take.
        profiles: What functions cost.
        holds: Which functions must not run.
        incidents: Where deaths of workers go.
        log_file: Where log lines go as well, if there is one.
        memory: How many queued tasks to hold in memory.
        on_functions: Told which functions a worker of the pool reports.
        on_change: Told that the pool's picture changed.

    Attributes:
        in_hand: What the workers have; the pool's listener.
    """

    def __init__(
        self,
        name: str,
        kind: PoolKind,
        *,
        recorder: Recorder,
        reader: Reader,
        clock: Clock,
        usual: Usual,
        profiles: Profiles,
        holds: Holds,
        incidents: Incidents,
        log_file: LogFile | None,
        memory: int,
        on_functions: Callable[[list[FunctionSpec]], None],
        on_change: Callable[[], None],
    ) -> None:
        self.pool: Pool  # set by attach(): a pool and its listener know each other
        self._recorder = recorder
        self._reader = reader
        self._clock = clock
        self._usual = usual
        self._holds = holds
        self._memory = memory
        self.in_hand = InHand(
            name,
            kind,
            recorder=recorder,
            clock=clock,
            usual=usual,
            profiles=profiles,
            incidents=incidents,
            log_file=log_file,
            on_room=self.pump,
            on_return=self.take_back,
            on_functions=on_functions,
            on_change=lambda: self._changed(on_change),
        )
        self._backlog = Backlog(memory)
        self._claiming: dict[int, QueuedTask] = {}
        self._claiming_seconds = 0.0  # of slots that they are expected to take
        self._claim_work: asyncio.Task[None] | None = None
        self._claim_seconds = 0.002  # running mean of how long a claim takes
        self._claimed = Claimed()
        self._reserved = 0  # tasks that are stored and claimed by a commit on its way
        self._refilling = False
        self._missed = _AFTER_ALL  # the best order that was offered in vain during a refill
        self._draining = False
        self._works: set[asyncio.Task[None]] = set()
        holds.follow(self._hold_changed)

    def attach(self, pool: Pool) -> None:
        """Name the pool to feed."""
        self.pool = pool

    # What comes in.

    def offer(self, task: QueuedTask) -> None:
        """Take a task that is stored as queued; one on hold stays in the store."""
        if task.function in self._holds:
            return
        if not self._backlog.offer(task) and self._refilling:
            self._missed = min(self._missed, task.order)

    def reserve(self, function: str) -> Reservation | None:
        """Let a task that is about to be stored be claimed by the same commit, if it can run next.

        Returns:
            What to give back to `accept` or `give_up`; None if the task has to queue.
        """
        if self._draining or self._refilling or not self._backlog.is_exhausted:
            return None
        seconds = self._usual.work(function)
        before = len(self._claimed) + len(self._claiming) + self._reserved
        if self.pool.free <= before and (seconds is None or not self._has_time_for(seconds)):
            return None
        self._reserved += 1
        return Reservation(seconds or _UNKNOWN_WORK, self._clock.monotonic())

    def _has_time_for(self, seconds: float) -> bool:
        """Tell whether another task of so much work may be claimed ahead of free slots."""
        coming = self._claiming_seconds + seconds * (1 + self._reserved)
        return self._claimed.seconds + coming <= self._lead_seconds

    def accept(self, task: QueuedTask, reservation: Reservation) -> None:
        """Take a task that is stored and claimed; what was being claimed before it goes first."""
        self._reserved -= 1
        self._note_claim(reservation.asked_at)
        if self._claiming:
            self._claimed.hold(task, reservation.seconds)
        else:
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

    async def cancel(self, seqs: Collection[int], now: int) -> set[int]:
        """Cancel tasks that no worker has, whether they wait here or in the store only.

        Returns:
            Which are cancelled; the others have been handed over or are final.

        Raises:
            StorageUnavailable: If it could not be written; the tasks wait on as before.
        """
        if self._claim_work is not None and not self._claiming.keys().isdisjoint(seqs):
            await asyncio.shield(self._claim_work)
        ahead = set(seqs).difference(self.in_hand.seqs())
        waiting = [task for seq in ahead if (task := self._backlog.remove(seq))]
        claimed = [entry for seq in ahead if (entry := self._claimed.remove(seq))]
        try:
            return await self._write_cancelled(ahead, now)
        except PooldeckError:
            for entry in claimed:
                self._claimed.add(*entry)
            for task in waiting:
                self.offer(task)
            self.pump()
            raise

    async def _write_cancelled(self, seqs: Collection[int], now: int) -> set[int]:
        moves = await self._recorder.perform(lambda tx: records.cancel(tx, list(seqs), now))
        return {move.seq for move in moves}

    async def stop_task(
        self, task_id: str, seq: int, now: int, *, kill: bool
    ) -> CancelOutcome | None:
        """Cancel a task wherever it is, ask it to end itself if it runs, or kill it.

        Returns:
            What was done; None if the task has moved on meanwhile: look again.

        Raises:
            StorageUnavailable: If it could not be written; the task goes on as before.
        """
        if task_id not in self.in_hand:
            return "cancelled" if await self.cancel([seq], now) else None
        done = await self.in_hand.stop(task_id, self.pool, kill=kill)
        if isinstance(done, QueuedTask):
            try:
                await self._write_cancelled([seq], now)
            except PooldeckError:
                self.take_back([done])
                raise
            return "cancelled"
        return done

    @property
    def oldest(self) -> QueuedTask | None:
        """Return the task in memory that has waited longest; None if none waits."""
        return self._backlog.oldest()

    # From the backlog to the pool.

    def pump(self) -> None:
        """Move tasks on as far as they can go now: hand over, claim, refill."""
        while not self._draining and (task := self._claimed.first) and self._hand_over(task):
            self._claimed.take()
        if self._draining or self._claiming or self.pool.state is not PoolState.RUNNING:
            return  # one claim at a time: what gathers meanwhile goes with the next
        if self._backlog and (chosen := self._choose()):
            self._claiming = {task.seq: task for task in chosen}
            self._claiming_seconds = sum(map(self._seconds_of, chosen))
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
        lead = self._lead_seconds
        return lead - self._claimed.seconds if self._claimed.seconds < lead / 2 else 0.0

    @property
    def _lead_seconds(self) -> float:
        """Return how far claims may be ahead of free slots, in seconds of slots."""
        if self.pool.state is not PoolState.RUNNING:
            return 0.0
        return 2 * self._claim_seconds * self.pool.spec.size

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
            self._take_claimed([task for task in chosen if task.seq in granted])
            self._note_claim(asked_at)
        self._claiming, self._claiming_seconds = {}, 0.0
        self._claimed.let_go()
        self.pump()

    def _note_claim(self, asked_at: float) -> None:
        """Keep the mean of how long claims take up to date."""
        seconds = self._clock.monotonic() - asked_at
        self._claim_seconds += _SMOOTHING * (seconds - self._claim_seconds)

    def _take_claimed(self, tasks: Iterable[QueuedTask]) -> None:
        for task in tasks:
            self._claimed.add(task, self._seconds_of(task))

    def _seconds_of(self, task: QueuedTask) -> float:
        """Return how long a task is expected to keep a slot."""
        return self._usual.work(task.function) or _UNKNOWN_WORK

    def _hand_over(self, task: QueuedTask) -> bool:
        """Give a claimed task to the pool; return whether there was room for it."""
        if task.function in self._holds:
            self._work(self._release([task]))
            return True
        return self.in_hand.hand(task, self.pool)

    def take_back(self, tasks: Sequence[QueuedTask]) -> None:
        """Let claimed tasks that no worker started wait for the next slot, before all others."""
        for task in reversed(tasks):
            self._claimed.put_back(task, self._seconds_of(task))
        self.pump()

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
            self._claiming.keys() | {task.seq for task in self._claimed} | set(self.in_hand.seqs())
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
        self.in_hand.report()
        await asyncio.gather(*self._works, return_exceptions=True)
        await self._release(self._unused())

    def _unused(self) -> list[QueuedTask]:
        """Take out the claimed tasks that no worker has."""
        unused = []
        while self._claimed.first:
            unused.append(self._claimed.take())
        return unused

    async def _release(self, tasks: Sequence[QueuedTask]) -> None:
        """Take back claims of tasks that no worker has; they queue as before.

        If it cannot be written they stay claimed, and are tried again or handed over later.
        """
        claims = [Claim(task.seq, task.attempt + 1) for task in tasks]
        try:
            if claims:
                await self._recorder.perform(lambda tx: records.release(tx, claims))
        except PooldeckError as error:
            _log.warning("%d claims could not be taken back: %s", len(claims), error)
            await asyncio.sleep(_RETRY_SECONDS)
            self.take_back(tasks)
        else:
            for task in tasks:
                self.offer(task)

    def _changed(self, on_change: Callable[[], None]) -> None:
        """Pass on that the pool's health changed; a pool that hands nothing out keeps no claims."""
        if self.pool.state is not PoolState.RUNNING and self._claimed.first:
            self._work(self._release(self._unused()))
        on_change()

    def _hold_changed(self, function: str) -> None:
        """Let a function's tasks wait in the store, or read them again when it is released."""
        if function in self._holds:
            self._backlog.drop(function)
        else:
            self.look_again()
