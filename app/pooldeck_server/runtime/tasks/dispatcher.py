"""One pool's queue: which task runs next, and how it gets there.

It owns the backlog of its pool. Intake offers it what is stored; it claims the best of that through
the recorder, and hands a claimed task to the pool when a slot is free. What becomes of it there is
the business of `pooldeck_server.runtime.tasks.running`. Everything runs on the event loop.

A claim is committed before its task is handed over. Claims run ahead of free slots only as far as
the pool gets through while a claim is on its way to the disk: tasks that take long, or that have
never run, are claimed when a slot is free and not before.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Container, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from pooldeck.kinds import Ending, PoolKind
from pooldeck.pools.listener import PoolListener
from pooldeck.pools.model import PoolState
from pooldeck.pools.port import PoolPort
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.domain.tasks.changes import Claim, TaskChanged
from pooldeck_server.domain.tasks.needs import Amounts, needs_of
from pooldeck_server.domain.tasks.task import QueuedTask
from pooldeck_server.runtime.background import BackgroundTasks
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.recording.spans import Spans
from pooldeck_server.runtime.tasks.backlog import Backlog
from pooldeck_server.runtime.tasks.breakage import Breakage
from pooldeck_server.runtime.tasks.choosing import AmongWorkers, InTurn
from pooldeck_server.runtime.tasks.claimed import Claimed, Entry
from pooldeck_server.runtime.tasks.durations import RecentDurations
from pooldeck_server.runtime.tasks.eligibility import Eligibility
from pooldeck_server.runtime.tasks.end_commits import EndCommits
from pooldeck_server.runtime.tasks.functions import Functions
from pooldeck_server.runtime.tasks.give_back import GiveBack
from pooldeck_server.runtime.tasks.holds import Holds
from pooldeck_server.runtime.tasks.incidents import Incidents
from pooldeck_server.runtime.tasks.logs import Logs
from pooldeck_server.runtime.tasks.machines import machines_of
from pooldeck_server.runtime.tasks.prefetch import Prefetch, Reservation
from pooldeck_server.runtime.tasks.profiles import Profiles
from pooldeck_server.runtime.tasks.refill import Refill
from pooldeck_server.runtime.tasks.resources import Resources
from pooldeck_server.runtime.tasks.running import RunningTasks
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Reader
from pooldeck_server.store.transaction import Transaction

Withdrawal: TypeAlias = Callable[[Transaction, Sequence[int]], Iterable[TaskChanged]]
"""Writes what tasks become that are taken out of the queue, and returns which have become that."""

_log = logging.getLogger(__name__)
_AHEAD: Final = 1000  # claims ahead of free slots, at most
_RETRY_SECONDS: Final = 0.5
_UNKNOWN_WORK: Final = 1.0  # seconds that a task may take whose function has never run


@dataclass(kw_only=True, eq=False)
class Dispatcher:
    """Feeds one pool."""

    name: str
    kind: PoolKind
    make_pool: Callable[[PoolListener], PoolPort]
    has: Amounts  # what the server's machine has, for a pool whose workers are on it
    recorder: Recorder
    reader: Reader
    clock: Clock
    durations: RecentDurations
    profiles: Profiles
    holds: Holds
    incidents: Incidents
    functions: Functions
    logs: Logs
    spans: Spans | None = None  # what makes them, where there are traces
    memory: int  # queued tasks to hold in memory
    is_closing: Callable[[], bool]  # tells whether nothing is to be handed out any more
    is_halted: Callable[[], bool]  # tells the same for now: what waits is to wait on
    undecided: Container[int] = ()  # tasks that an earlier server left, and that may run
    on_change: Callable[[], None]  # told that the pool's picture changed
    _claiming: dict[int, QueuedTask] = field(init=False, default_factory=dict)
    _claim_work: asyncio.Task[None] | None = field(init=False, default=None)
    _claimed: Claimed = field(init=False, default_factory=Claimed)
    _prefetch: Prefetch = field(init=False, default_factory=Prefetch)
    _works: BackgroundTasks = field(init=False, default_factory=BackgroundTasks)

    def __post_init__(self) -> None:
        # What the workers have, and the pool, whose listener that is: the two know each other.
        self.running = RunningTasks(
            pool=self.name,
            kind=self.kind,
            recorder=self.recorder,
            clock=self.clock,
            durations=self.durations,
            profiles=self.profiles,
            incidents=self.incidents,
            functions=self.functions,
            logs=self.logs,
            spans=self.spans,
            is_closing=self.is_closing,
            on_room=self.pump,
            on_return=self.take_back,
            on_workers=self._workers_changed,
            on_change=self._changed,
            on_ends=self._ends_came,
        )
        self.pool = self.make_pool(self.running)
        self._breakage = Breakage(self.name, self.clock)
        self._backlog = Backlog(self.memory)
        self.resources = Resources(
            machines=machines_of(self.pool, self.has),
            free_by_worker=lambda: self.pool.free_by_worker,
            in_hand=lambda: self.in_hand() | self.running.lingering(self.pool.pids),
            running=lambda: set(self.running.seqs()),
        )
        self._eligible = Eligibility(
            pool=self.name, functions=self.functions, resources=self.resources
        )
        self.unschedulable = self._eligible.unschedulable
        self._end_commits = EndCommits(
            pool=self.pool,
            recorder=self.recorder,
            report=self.running.report,
            is_closing=self.is_closing,
        )
        self._refill = Refill(
            pool=self.name,
            backlog=self._backlog,
            reader=self.reader,
            most=self.memory,
            in_hand=self.in_hand,
            left_out=lambda: (*self.unschedulable.seqs, *self.resources.parked.seqs),
            on_supplied=self.pump,
        )
        self._give_back = GiveBack(
            pool=self.name,
            claimed=self._claimed,
            prefetch=self._prefetch,
            recorder=self.recorder,
            clock=self.clock,
            slots=lambda: self._slots,
            offer=self.offer,
            take_back=self.take_back,
            on_queued=self.pump,
        )
        self.holds.follow(self._hold_changed)

    # What comes in.

    def offer(self, task: QueuedTask) -> None:
        """Take a task that is stored as queued; one on hold stays in the store."""
        if task.function in self.holds:
            return
        self._refill.offer(task)

    def reserve(self, function: str) -> Reservation | None:
        """Let a task that is about to be stored be claimed by the same commit, if it can run next.

        Returns:
            What to give back to `accept` or `give_up`; None if the task has to queue.
        """
        is_behind = not self._refill.is_exhausted or self._eligible.is_mixed
        if not self._hands_out or is_behind or function in self.holds:
            return None
        seconds = self.durations.work(function)
        before = len(self._claimed) + len(self._claiming) + self._prefetch.reserved
        if self.pool.free <= before and (seconds is None or not self._has_time_for(seconds)):
            return None
        self._prefetch.reserved += 1
        return Reservation(seconds or _UNKNOWN_WORK, self.clock.monotonic())

    def _has_time_for(self, seconds: float) -> bool:
        return self._prefetch.has_time_for(seconds, self._slots, self._claimed.seconds)

    def accept(self, task: QueuedTask, reservation: Reservation) -> None:
        """Take a task that is stored and claimed; what was being claimed before it goes first."""
        now = self.clock.monotonic()
        self._prefetch.reserved -= 1
        self._prefetch.add_claim(now - reservation.asked_at)
        entry = Entry(task, reservation.seconds, now)
        if self._claiming:
            self._claimed.hold(entry)
        else:
            self._claimed.add(entry)
            self.pump()

    def give_up(self) -> None:
        self._prefetch.reserved -= 1

    def reread(self) -> None:
        """Note that tasks became queued in the store that were not offered here."""
        self._refill.note_unseen()
        self.pump()

    async def withdraw(self, seqs: Collection[int], write: Withdrawal) -> set[int]:
        """Take tasks that no worker has out of the queue, where `write` says what they become.

        Whether they wait here or in the store only.

        Returns:
            Which have become that; the others have been handed over or are final.

        Raises:
            StorageUnavailable: If it could not be written; the tasks wait on as before.
        """
        if self._claim_work is not None and not self._claiming.keys().isdisjoint(seqs):
            await asyncio.shield(self._claim_work)
        await self._give_back.settled(seqs)
        ahead = {seq for seq in seqs if seq not in self.undecided}.difference(self.running.seqs())
        apart = (*self.unschedulable.seqs, *self.resources.parked.seqs)
        for seq in ahead.intersection(apart):
            self._eligible.forget(seq)
        waiting = [task for seq in ahead if (task := self._backlog.remove(seq))]
        claimed = [entry for seq in ahead if (entry := self._claimed.remove(seq))]
        try:
            moves = await self.recorder.perform(lambda tx: write(tx, list(ahead)))
            return {move.seq for move in moves}
        except PooldeckError:
            for entry in claimed:
                self._claimed.add(entry)
            for task in waiting:
                self.offer(task)
            self.pump()
            raise

    async def stop_task(
        self, task_id: str, seq: int, write: Withdrawal, *, kill: bool
    ) -> Literal["cancelled", "cancel_requested"] | Ending | None:
        """Cancel a task wherever it is, ask it to end itself if it runs, or kill it.

        `write` cancels it in the store, where no worker has it.

        Returns:
            What was done, and how it ends if it was killed; None if the task has moved on
            meanwhile: look again.

        Raises:
            StorageUnavailable: If it could not be written; the task goes on as before.
        """
        if task_id not in self.running:
            return "cancelled" if await self.withdraw([seq], write) else None
        done = await self.running.stop(task_id, self.pool, kill=kill)
        if isinstance(done, QueuedTask):
            try:
                await self.recorder.perform(lambda tx: write(tx, [seq]))
            except PooldeckError:
                self.take_back([done])
                raise
            return "cancelled"
        return done

    async def let_go(self, seq: int) -> None:
        """Give back the claim of a task that no worker has; it queues as before, for now."""
        if self._claim_work is not None and seq in self._claiming:
            await asyncio.shield(self._claim_work)
        if entry := self._claimed.remove(seq):
            self._give_back.give_back([entry.task])
        await self._give_back.settled([seq])

    def forget(self, seq: int) -> None:
        """Take a task out of memory that was changed in the store."""
        self._backlog.remove(seq)
        self._eligible.forget(seq)

    @property
    def holds_back(self) -> bool:
        """Tell whether tasks may wait in the store of which the memory here knows nothing."""
        is_apart = self.unschedulable.counts or self.resources.parked
        return not self._backlog.is_whole or bool(self.holds.all() or is_apart)

    def obstacle(self, function: str) -> str:
        """Say why no worker can run the tasks of a function that are unschedulable."""
        return self._eligible.obstacle(function)

    @property
    def oldest(self) -> QueuedTask | None:
        """Return the task in memory that has waited longest; None if none waits."""
        return self._backlog.oldest()

    # From the backlog to the pool.

    @property
    def _hands_out(self) -> bool:
        return not (self.is_closing() or self.is_halted())

    @property
    def has_work(self) -> bool:
        """Tell whether its workers have tasks, or are about to get some."""
        is_on_the_way = self._prefetch.reserved or self._claiming or self._claimed.first
        return bool(self.pool.busy or is_on_the_way)

    def pump(self) -> None:
        """Move tasks on as far as they can go now: hand over, claim, refill."""
        if self.is_halted() or self.pool.state is not PoolState.RUNNING:
            self._give_back.give_back_all()
        self._hand_out()
        self._give_back.watch()
        if not self._hands_out or self._claiming or self.pool.state is not PoolState.RUNNING:
            return  # one claim at a time: what gathers meanwhile goes with the next
        if self.resources.parked:
            self._bring_back()
        if self._backlog and (chosen := self._choose()):
            self._claiming = {task.seq: task for task in chosen}
            self._prefetch.claiming = sum(map(self._seconds_of, chosen))
            self._claim_work = self._works.start(self._claim(chosen))
        if self._refill.is_due:
            self._works.start(self._refill.refill())

    def _hand_out(self) -> None:
        """Hand over what is claimed, as far as it can go.

        One waits for the one before it, unless that can only go to a worker that is busy.
        """
        if not self._eligible.is_mixed:
            while self._hands_out and (task := self._claimed.first):
                if self._hand_over(task):
                    self._claimed.take()
                elif self.resources.machines.are_several and needs_of(task):
                    break  # those behind it may run on other machines
                else:
                    return
            else:
                return
        for task in list(self._claimed):
            if self._hands_out and self._hand_over(task):
                self._claimed.remove(task.seq)

    def _choose(self) -> list[QueuedTask]:
        """Take out of the backlog what is to be claimed next."""
        slots_left = self._slots_left
        self.resources.begin_choice()
        if self._eligible.is_mixed:
            among = AmongWorkers(self._eligible.to_claim, self.pool.free_by_worker, slots_left)
            return self._backlog.choose(among, _AHEAD) if among.has_room else []
        if slots_left <= 0 and not self._prefetch.left(self.pool.size, self._claimed.seconds):
            return []  # as it is most of the time
        seconds_left = self._prefetch.left(self._slots, self._claimed.seconds)
        in_turn = InTurn(self._eligible.to_claim, self.durations.work, slots_left, seconds_left)
        return self._backlog.choose(in_turn, _AHEAD) if in_turn.has_room else []

    @property
    def _slots_left(self) -> int:
        """Return how many free slots nobody is about to get."""
        return self.pool.free - len(self._claimed) - self._prefetch.reserved

    def _bring_back(self) -> None:
        """Let tasks that waited for what is free now queue for a slot."""
        if self._slots_left > 0 and (seqs := self.resources.due()):
            self._works.start(self._read_again(seqs))

    async def _read_again(self, seqs: list[int]) -> None:
        if self._eligible.is_mixed and self.resources.machines.are_several:
            # Where it is free may be nobody that takes the arguments: do not ask all the time.
            await asyncio.sleep(_RETRY_SECONDS)
        try:
            tasks = await self.reader.run(queries.waiting, seqs)
        except PooldeckError:
            self.resources.came(seqs)
            self.reread()
            return
        self.resources.came(seqs)
        there = self.in_hand()
        for task in tasks:
            if task.pool == self.name and task.seq not in there:
                self.offer(task)
        self.pump()

    @property
    def _slots(self) -> int:
        """Return how many slots may be given tasks that are claimed ahead.

        These are free, or have a call that is not known to take long.
        """
        if self.pool.state is not PoolState.RUNNING:
            return 0
        there = min(self.pool.size, self.pool.free + self.pool.busy)
        return max(0, there - self.running.held)

    async def _claim(self, chosen: list[QueuedTask]) -> None:
        asked_at = self.clock.monotonic()
        try:
            claims = [Claim(task.seq, task.attempt + 1, task.edits) for task in chosen]
            granted = await self.recorder.perform(lambda tx: records.claim(tx, claims))
        except PooldeckError:
            for task in chosen:
                self.offer(task)
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            self._add_claimed([task for task in chosen if task.seq in granted])
            self._prefetch.add_claim(self.clock.monotonic() - asked_at)
        self._claiming, self._prefetch.claiming = {}, 0.0
        self._claimed.let_go()
        self.pump()

    def _add_claimed(self, tasks: Iterable[QueuedTask]) -> None:
        for task in tasks:
            self._claimed.add(self._entry(task))

    def _entry(self, task: QueuedTask) -> Entry:
        return Entry(task, self._seconds_of(task), self.clock.monotonic())

    def _seconds_of(self, task: QueuedTask) -> float:
        return self.durations.work(task.function) or _UNKNOWN_WORK

    def _hand_over(self, task: QueuedTask) -> bool:
        """Give a claimed task to the pool; return whether there was room for it."""
        if task.function in self.holds:
            self._give_back.give_back([task])
            return True
        takers = self._eligible.by_code(task)
        if takers is not None and not takers:
            self._give_back.give_back([task])
            return True
        if task.options is not None and (needs := needs_of(task)):
            machine = self.resources.machine_of(task, needs)
            if machine is None:
                self._give_back.give_back([task])
                return True
            takers = self.resources.workers_on(machine, takers)
            if takers is not None and not takers:
                return False
        return self.running.hand(task, self.pool, takers)

    def take_back(self, tasks: Sequence[QueuedTask]) -> None:
        """Let claimed tasks that no worker started wait for the next slot, before all others."""
        for task in reversed(tasks):
            self._claimed.put_back(self._entry(task))
        self.pump()

    def in_hand(self) -> set[int]:
        """Return the numbers of what is claimed, or with a worker."""
        claimed = {task.seq for task in self._claimed}.union(self._give_back.seqs)
        return self._claiming.keys() | claimed | set(self.running.seqs())

    def has_in_hand(self, task_id: str, seq: int) -> bool:
        """Tell whether a task is claimed, or with a worker."""
        if task_id in self.running or seq in self._claiming:
            return True
        return seq in self._give_back.seqs or any(task.seq == seq for task in self._claimed)

    # Start and stop.

    async def start(self) -> None:
        await self._refill.refill()
        await self.pool.start()

    async def stop(self, grace: float) -> None:
        """Let what runs end for `grace` seconds, end the workers, take unused claims back."""
        self._end_commits.stop()
        await self.pool.stop(grace)
        self.running.report()
        await self._works.finish()
        await self._give_back.finish()

    def _changed(self) -> None:
        """Pass on that the pool's health changed; a pool that hands nothing out keeps no claims."""
        if self.pool.state is not PoolState.RUNNING:
            self._give_back.give_back_all()
        self._breakage.look(self.pool)
        self.on_change()

    def _ends_came(self) -> None:
        self._end_commits.look_soon()

    def _workers_changed(self) -> None:
        """Look again at what waits for other code, if that has come."""
        if self._eligible.look_again(self.pool):
            self.reread()
        self._end_commits.look_soon()  # one that is gone may have left its notes
        self._changed()

    def _hold_changed(self, function: str) -> None:
        """Let a function's tasks wait in the store, or read them again when it is released."""
        if function in self.holds:
            self._backlog.drop(function)
        else:
            self.reread()
