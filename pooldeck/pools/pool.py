"""A pool: slots over supervised workers.

A pool hands calls to free slots, replaces workers that die, and says what each slot does. It knows
no tasks table and no HTTP: whoever owns it listens through `PoolListener`, and asks through
`PoolPort`, which says what each method does. A process worker has one slot; a thread pool is one
worker with as many slots as the pool has threads.

    post ──▶ slots: a free one ──▶ worker process ◀── roster: are all workers there?
                                         ║        ▲
                           what it says, ║        └───── end_call ◀── deadlines: a call is overdue
                             and its end ▼
    listener ◀─────────────────────── reports ─── blame: whose fault was it?

`Vitals` looks after workers that are there and can do nothing.

Everything runs on one event loop; nothing here blocks.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Final

from pooldeck.kinds import KINDS, Ending
from pooldeck.pools import memory_limit
from pooldeck.pools.boxes import Boxes, EndsSeen
from pooldeck.pools.deadlines import Deadlines
from pooldeck.pools.end_call import CallEnder
from pooldeck.pools.exit_cause import ExitCauses
from pooldeck.pools.factory import WorkerFactory
from pooldeck.pools.launcher import Launcher, SubprocessLauncher
from pooldeck.pools.listener import PoolListener
from pooldeck.pools.model import CodeSpec, PoolSpec, PoolState, WorkerState
from pooldeck.pools.out_of_memory import MemoryWatch
from pooldeck.pools.port import Outgrown, PoolPort, PoolSnapshot, WorkerSnapshot
from pooldeck.pools.reports import Reports
from pooldeck.pools.roster import Roster
from pooldeck.pools.stacks import StackRequests
from pooldeck.pools.sweeper import Sweeper
from pooldeck.pools.vitals import Vitals
from pooldeck.pools.worker import MOST_CALLS, EndReason, Running, Worker
from pooldeck.protocol import Call, Cancel, Committed, Until

_OUTGROWN: Final = 100  # workers that were too large, whose times are remembered


class Pool(PoolPort):
    """A named set of workers of one kind.

    `WorkerFactory` says what `boot` and `next_number` are. Without `memory` no death is said to be
    for want of it; without a `launcher` workers are plain child processes. `is_ending` tells
    whether the program that has the pool was told to end: a signal to a worker is for all then.
    Without it, such a signal ends the worker at once. Without `boxes` nobody can know of a call
    whose worker is gone whether it had begun.
    """

    def __init__(
        self,
        spec: PoolSpec,
        boot: str,
        next_number: Callable[[], Awaitable[int]],
        listener: PoolListener,
        memory: MemoryWatch | None = None,
        *,
        launcher: Launcher | None = None,
        is_ending: Callable[[], bool] | None = None,
        boxes: Boxes | None = None,
    ) -> None:
        self._listener = listener
        self._boxes = boxes
        launcher = launcher or SubprocessLauncher()
        self._hiring = WorkerFactory(boot, next_number, launcher, is_ending, boxes)
        self._state = PoolState.RUNNING
        self._is_started = False
        self._is_ending = False
        self._empty = asyncio.Event()  # no worker is left
        self._until: float | None = None
        self._staff = Roster(spec, self._hire, self._settled)
        self._account = self._staff.account
        self._giving_up = CallEnder(self._staff, listener)
        self._deadlines = Deadlines(spec, self._giving_up.overdue)
        self._vitals = Vitals(self._staff)
        self._looks = StackRequests()
        self._causes = ExitCauses(memory)
        self._outgrown: deque[Outgrown] = deque(maxlen=_OUTGROWN)
        self._sweeper = Sweeper(boot)
        self._reports = Reports(
            self._staff,
            listener,
            self._deadlines,
            self._looks,
            self._causes,
            self._sweeper,
            boxes,
        )
        self._kind = KINDS[spec.kind]
        self._most_tasks = spec.max_tasks_per_worker if self._kind.is_alone else 0

    # What it is.

    @property
    def spec(self) -> PoolSpec:
        return self._staff.spec

    @property
    def size(self) -> int:
        return self._staff.spec.size

    @property
    def workers(self) -> Mapping[str, Worker]:
        return self._staff.workers

    @property
    def state(self) -> PoolState:
        is_staffed = self._state is PoolState.RUNNING or self._state is PoolState.PAUSED
        return PoolState.BROKEN if is_staffed and self._staff.is_broken else self._state

    @property
    def reason(self) -> str | None:
        return self._staff.boots.reason

    @property
    def is_given_up(self) -> bool:
        return self._staff.boots.are_given_up

    @property
    def free(self) -> int:
        return self._account.free

    @property
    def free_by_worker(self) -> Mapping[str, int]:
        return self._account.by_worker

    @property
    def busy(self) -> int:
        return sum(worker.busy for worker in self.workers.values())

    @property
    def pids(self) -> Mapping[str, int]:
        return {worker.id: worker.pid for worker in self.workers.values() if worker.pid}

    @property
    def present(self) -> Collection[str]:
        return self.pids

    @property
    def staffed(self) -> Sequence[str]:
        return [worker.id for worker in self.workers.values() if worker.is_open]

    @property
    def ready(self) -> Sequence[str]:
        return [worker.id for worker in self.workers.values() if worker.is_ready]

    def snapshot(self) -> PoolSnapshot:
        workers = tuple(map(self._seen, self.workers.values()))
        outgrown = tuple(self._outgrown)
        return PoolSnapshot(
            self.spec, self.state, self.reason, self.busy, workers, outgrown=outgrown
        )

    def _seen(self, worker: Worker) -> WorkerSnapshot:
        ending_of, runs = self._giving_up.ending_of, self._kind.at_risk(worker.running.values())
        return WorkerSnapshot(
            id=worker.id,
            pid=worker.pid,
            state=worker.state,
            started_at=worker.started_at,
            slots=worker.slots,
            tasks_done=worker.tasks_done,
            calls=tuple(worker.seen(one, ending_of(worker, one)) for one in runs),
            abandoned=tuple(map(worker.seen, worker.abandoned.values())),
        )

    # Calls.

    def post(
        self, call: Call, *, is_quick: bool = False, among: Collection[str] | None = None
    ) -> bool:
        worker = self._account.take(among)
        if worker is not None:
            worker.has_quick_ones = is_quick and self._kind.is_alone
        elif is_quick and self._account.is_open:
            worker = self._with_room_behind(among)
        if worker is None:
            return False
        if call.task in worker.leaving:  # until then the worker could take one for the other
            self._account.give_back(worker)
            return False
        running = Running(call, time.monotonic())
        worker.running[call.task] = running
        worker.state = WorkerState.BUSY
        worker.process.send(call)
        self._staff.note_use()
        self._deadlines.note(worker, running)
        if 0 < self._most_tasks <= worker.tasks_done + len(worker.running):
            self._staff.retire_after_calls(worker)
        return True

    def _with_room_behind(self, among: Collection[str] | None) -> Worker | None:
        """Return the worker with the fewest calls among those that take another behind them."""
        taker, fewest = None, MOST_CALLS
        for worker in self._staff.workers.values():
            has = len(worker.running)  # first: most often all are full, and this is asked for each
            if has < fewest and worker.takes_more and (among is None or worker.id in among):
                taker, fewest = worker, has
        return taker

    def cancel(self, task: str) -> bool:
        found = self._find(task)
        if found is None:
            return False
        worker, running = found
        running.is_asked = True
        worker.process.tell(Cancel(task))
        return True

    def kill(self, task: str) -> Ending | None:
        found = self._find(task)
        return None if found is None else self._giving_up.kill(*found)

    async def stack(self, task: str) -> str | None:
        found = self._find(task)
        return None if found is None else await self._looks.at(*found)

    def _find(self, task: str) -> tuple[Worker, Running] | None:
        for worker in self.workers.values():
            running = worker.running.get(task)
            if running is not None:
                return worker, running
        return None

    def ends(self) -> EndsSeen | None:
        return self._boxes.ends() if self._boxes is not None else None

    def commit(self, ends: EndsSeen) -> None:
        if self._boxes is not None:
            for worker, number in self._boxes.commit(ends):
                if worker in self.workers:
                    self.workers[worker].process.tell(Committed(number))

    # Workers.

    def resize(self, size: int) -> None:
        if size < 1:
            raise ValueError(f"a pool has at least 1 slot, not {size}")
        self._staff.resize(size)

    def restart(self, code: CodeSpec | None = None) -> None:
        self._staff.restart(code)

    def kill_worker(self, worker_id: str) -> bool:
        worker = self.workers.get(worker_id)
        if worker is not None:
            self._staff.end(worker, EndReason.KILLED, why="it was killed by hand")
        return worker is not None

    def note_memory(self, worker_id: str, rss_bytes: int) -> None:
        self._causes.count()
        if worker := self.workers.get(worker_id):
            worker.note_memory(rss_bytes)
            if memory_limit.enforce(worker, rss_bytes, self.spec.max_memory_bytes, self._staff):
                self._outgrown.append(Outgrown(time.monotonic(), rss_bytes))

    async def _hire(self) -> Worker:
        left_out = self._staff.boots.left_out
        return await self._hiring.hire(
            self.spec, left_out, self._reports.receive, self._reports.ended, self._until
        )

    def _settled(self) -> None:
        """Tell the listener that something about the workers has changed."""
        if self._staff.is_empty:
            self._empty.set()
            if self._state is PoolState.DRAINING:
                self._state = PoolState.STOPPED
        else:
            self._empty.clear()
        self._reports.note_recovery()
        self._listener.changed()
        self._listener.has_room()

    # From start to stop.

    async def start(self) -> None:
        self._is_started = True
        self._vitals.start()
        if self._state is not PoolState.STOPPED:
            self._staff.open()
        await self._staff.launched()

    def pause(self) -> None:
        self._turn(PoolState.PAUSED)

    def resume(self) -> None:
        self._turn(PoolState.RUNNING)

    def drain(self) -> None:
        self._turn(PoolState.DRAINING if self._is_started else PoolState.STOPPED)

    def _turn(self, state: PoolState) -> None:
        if self._is_ending:
            return
        self._state = state
        self._account.is_open = state is PoolState.RUNNING
        if self._is_started and state is PoolState.DRAINING:
            self._staff.disband()
        elif self._is_started:
            self._staff.open()

    async def stop(self, grace: float) -> None:
        self._is_ending = True
        self._state = PoolState.STOPPED
        self._account.is_open = False
        self._staff.disband()
        await self._staff.launched()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._empty.wait(), grace)
        for worker in [worker for worker in self.workers.values() if worker.busy]:
            self._staff.end(worker, EndReason.STOPPED)
        await self._empty.wait()
        await self._giving_up.stop()
        await self._vitals.stop()
        await self._sweeper.finish()

    def extend(self, until: float) -> None:
        """Let the workers live until a moment, and no longer; without this there is no such moment.

        Args:
            until: By the clock of `marks.moment`.
        """
        self._until = until
        for worker in self.workers.values():
            worker.process.tell(Until(until))

    def expel_leaving(self) -> None:
        self._staff.expel_leaving()
