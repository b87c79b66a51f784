"""Takes submissions in: checked against the catalogue, stored, then offered to their queue.

It owns the order of submission: ids and sequence numbers. The API feeds it; an answer goes out only
after the commit.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Final

from pooldeck_server.domain.alerts.callbacks import MAX_HOSTS, host_of
from pooldeck_server.domain.errors import (
    InvalidRequest,
    PooldeckError,
    QueueFull,
)
from pooldeck_server.domain.tasks.batches import KeyedBatch
from pooldeck_server.domain.tasks.needs import needs_of
from pooldeck_server.domain.tasks.pipelines import Dependencies
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.submission import Accepted, Submission
from pooldeck_server.domain.tasks.task import NewTask
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.recording.spans import Spans
from pooldeck_server.runtime.recording.watch import Watch, watched
from pooldeck_server.runtime.tasks.batch_keys import BatchKeys, fingerprint_of_batch
from pooldeck_server.runtime.tasks.checking import Checks
from pooldeck_server.runtime.tasks.counts import Counts
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.door import Door
from pooldeck_server.runtime.tasks.idempotency import IdempotencyKeys, fingerprint_of, still_there
from pooldeck_server.runtime.tasks.linking import NO_TIES, shown, tie
from pooldeck_server.runtime.tasks.scheduler import Scheduler
from pooldeck_server.settings import PoolSettings
from pooldeck_server.store.database import Reader

_QUEUED: Final = State.QUEUED  # asked for with each task; an enum's own look-up is a call
_TO_COME: Final = ""  # stands for the id of a task that is about to be stored


@dataclass(kw_only=True, eq=False)
class Intake:
    """The door for submissions."""

    recorder: Recorder
    reader: Reader
    checks: Checks
    queues: Mapping[str, Dispatcher]  # the dispatcher of each pool
    pools: Mapping[str, PoolSettings]  # the settings of each pool
    counts: Counts
    door: Door
    scheduler: Scheduler
    spans: Spans | None = None  # what makes them, where there are traces
    on_tied: Callable[[Iterable[int]], None]  # given the numbers of tasks that come after others
    admit: Callable[[str], Awaitable[None]]  # refuses an address that no end can be told to
    _arriving: Counter[str] = field(init=False, default_factory=Counter)  # at the store, by pool
    _to_pump: set[str] = field(init=False, default_factory=set)  # pools, in this turn of the loop

    def __post_init__(self) -> None:
        self._keys = IdempotencyKeys(self.reader)
        self._batches = BatchKeys(self.reader)

    async def submit(
        self,
        submission: Submission,
        idempotency_key: str | None = None,
        watch: Watch | None = None,
    ) -> Accepted:
        """Store one submission, or find the task that its key already stands for.

        A `watch` is for the task from its commit on.

        Raises:
            PooldeckError: If it is refused; nothing is stored then.
        """
        self.door.check()
        if self.spans is None:
            return await self._submit(submission, idempotency_key, watch)
        with self.spans.submission(submission.function):
            return await self._submit(submission, idempotency_key, watch)

    def traced(self, name: str) -> AbstractContextManager[None]:
        """Trace what is submitted within the body, where there are traces."""
        return nullcontext() if self.spans is None else self.spans.submission(name)

    async def _submit(
        self, submission: Submission, idempotency_key: str | None, watch: Watch | None
    ) -> Accepted:
        if idempotency_key is None:
            return await self._accepted(submission, None, watch)
        async with self._keys.hold([idempotency_key]):
            # First of all: what was taken once stays taken, whatever the code is by now.
            known = await self._keys.known([(idempotency_key, fingerprint_of(submission))])
            if found := known.get(idempotency_key):
                earlier = still_there(found, idempotency_key)
                if watch is not None:
                    watch.add([earlier.id])
                return Accepted(earlier, created=False)
            return await self._accepted(submission, idempotency_key, watch)

    async def _accepted(
        self, submission: Submission, key: str | None, watch: Watch | None
    ) -> Accepted:
        """Store the task that a submission becomes."""
        if submission.callback:
            await self.admit_callbacks([({}, submission)])
        call = self.checks.of_call()
        task, ties = call.check(submission, key), NO_TIES
        if call.are_tied:
            (task,), ties = await tie(self.reader, [task], [submission])
        with watched([task.id], watch):
            await self._store_or_claim(task, ties)
        return Accepted(shown(task, ties), created=True)

    async def submit_batch(
        self,
        submissions: Sequence[Submission],
        idempotency_key: str | None = None,
        watch: Watch | None = None,
    ) -> list[str]:
        """Store all submissions in one commit, or none; return their ids in order.

        The same `idempotency_key` of the whole gives the same ids. A `watch` is for the tasks from
        their commit on.

        Raises:
            PooldeckError: If any is refused; `index` in its `extra` says which.
        """
        self.door.check()
        with self.traced("batch"):
            if idempotency_key is None:
                return await self._submit_batch(submissions, watch)
            return await self._submit_once(idempotency_key, submissions, watch)

    async def _submit_once(
        self, key: str, submissions: Sequence[Submission], watch: Watch | None
    ) -> list[str]:
        async with self._batches.hold(key):
            ids = await self._batches.known(key, submissions)
            if ids is None:
                return await self._submit_batch(submissions, watch, key)
            if watch is not None:
                watch.add(ids)
            return ids

    async def _submit_batch(
        self, submissions: Sequence[Submission], watch: Watch | None, batch: str | None = None
    ) -> list[str]:
        """Store what is new of a batch; `batch` is the key of the whole, if it has one."""
        mark = None if batch is None else (batch, fingerprint_of_batch(submissions))
        keys = {item.idempotency_key for item in submissions if item.idempotency_key is not None}
        if not keys:
            return await self._store_batch(list(enumerate(submissions)), watch, mark)
        async with self._keys.hold(keys):
            asked = ((item.idempotency_key, _fingerprint(item)) for item in submissions)
            ids = {key: task.id for key, task in (await self._keys.known(asked)).items()}
            known = list(ids.values())
            fresh = []
            for position, item in enumerate(submissions):
                key = item.idempotency_key
                if key is None or key not in ids:
                    fresh.append((position, item))
                if key is not None:
                    ids.setdefault(key, _TO_COME)
            stored = iter(await self._store_batch(fresh, watch, mark) if fresh else ())
            if watch is not None:
                watch.add(known)
            return [self._id_of(item.idempotency_key, ids, stored) for item in submissions]

    def _id_of(self, key: str | None, ids: dict[str, str], stored: Iterator[str]) -> str:
        """Return the id of the next submission, which is one of the `stored` if it is new."""
        if key is None:
            return next(stored)
        if ids[key] == _TO_COME:
            ids[key] = next(stored)
        return ids[key]

    async def _store_batch(
        self,
        items: Sequence[tuple[int, Submission]],
        watch: Watch | None,
        mark: tuple[str, str] | None,
    ) -> list[str]:
        """Store submissions, given with their places in the batch, in one commit.

        `mark` is the key of the whole and its fingerprint, if it has one.
        """
        await self.admit_callbacks(({"index": place}, item) for place, item in items)
        tasks, ties = await self._checked(items)
        ids, batch = [task.id for task in tasks], self._keyed(tasks, mark)
        with watched(ids, watch):
            if len(tasks) == 1:  # as a client sends what it submits alone
                await self._store_or_claim(tasks[0], ties, batch)
            else:
                await self.store(tasks, ties, batch)
        return ids

    def _keyed(self, tasks: Sequence[NewTask], mark: tuple[str, str] | None) -> KeyedBatch | None:
        """Return what is kept of a batch; its tasks are numbered one after the other."""
        if mark is None:
            return None
        return KeyedBatch(*mark, tasks[0].seq, len(tasks), tasks[0].created_at)

    # Checking.

    async def admit_callbacks(self, placed: Iterable[tuple[dict[str, Any], Submission]]) -> None:
        """Refuse submissions whose end cannot be told to where they say.

        Each comes with what says where it stands, for the `extra` of an error.

        Raises:
            InvalidRequest: If there is such a one.
        """
        asked = {each.callback: where for where, each in placed if each.callback}
        if len({host_of(address) for address in asked}) > MAX_HOSTS:
            raise InvalidRequest(
                f"callback: more than {MAX_HOSTS} hosts in one call", field="/callback"
            )
        for address, where in asked.items():
            try:
                await self.admit(address)
            except InvalidRequest as error:
                error.extra |= where
                raise

    async def _checked(
        self, items: Sequence[tuple[int, Submission]]
    ) -> tuple[Sequence[NewTask], Dependencies]:
        """Return the tasks of a batch's submissions, given with their places, and their ties."""
        call, tasks = self.checks.of_call(), list[NewTask]()
        try:
            for _, item in items:
                tasks.append(call.check(item, item.idempotency_key))
        except PooldeckError as error:
            error.extra["index"] = items[len(tasks)][0]
            raise
        if not call.are_tied:
            return tasks, NO_TIES
        return await tie(self.reader, tasks, [item for _, item in items])

    # Storing.

    async def _store_or_claim(
        self, task: NewTask, ties: Dependencies, batch: KeyedBatch | None = None
    ) -> None:
        """Store a task; where nothing waits before it, claim it in the same commit."""
        queue = self.queues[task.pool]
        may_be_next = task.state is State.QUEUED and not needs_of(task)
        reservation = queue.reserve(task.function) if may_be_next else None
        if reservation is None:
            await self.store([task], ties, batch)
            return
        task = task.claim()

        def settled(is_stored: bool) -> None:
            if is_stored:
                queue.accept(task.as_queued(), reservation)
            else:
                queue.give_up()

        await self.recorder.insert([task], settled, batch=batch)

    async def store(
        self,
        tasks: Sequence[NewTask],
        ties: Dependencies = NO_TIES,
        batch: KeyedBatch | None = None,
    ) -> None:
        """Commit `tasks` with what ties them to others, then offer them to their queues.

        `batch` is kept beside them, where they have a key together.

        Raises:
            PooldeckError: If there is no room for them, or they cannot be written.
        """
        arriving = _by_pool(tasks)
        for pool, number in arriving.items():
            self.check_room(pool, number)
        for pool, number in arriving.items():
            self._arriving[pool] += number

        def settled(is_stored: bool) -> None:
            for pool, number in arriving.items():
                self._arriving[pool] -= number
            if is_stored:
                self._offer(tasks)
                if ties.tasks:
                    self.on_tied(task.seq for task in ties.tasks)

        await self.recorder.insert(tasks, settled, ties, batch)

    def check_again(self, function: str, pool: str, number: int) -> None:
        """Find out whether so many stored tasks of a function may be queued again.

        Raises:
            PooldeckError: If not: its function or pool is gone, on hold, or the queue is full.
        """
        self.checks.check_again(function, pool)
        self.check_room(pool, number)

    def _offer(self, tasks: Sequence[NewTask]) -> None:
        """Let tasks that are stored wait for a slot, or for their time."""
        is_scheduled = False
        for task in tasks:
            if task.state is _QUEUED:
                self.queues[task.pool].offer(task.as_queued())
                self._pump_soon(task.pool)
            else:
                is_scheduled = True
        if is_scheduled:
            self.scheduler.notify()

    def _pump_soon(self, pool: str) -> None:
        """Let a queue move on once for all that a commit has brought."""
        if not self._to_pump:
            asyncio.get_running_loop().call_soon(self._pump)
        self._to_pump.add(pool)

    def _pump(self) -> None:
        pools, self._to_pump = self._to_pump, set()
        for pool in pools:
            self.queues[pool].pump()

    def check_room(self, pool: str, number: int) -> None:
        """Refuse so many more tasks of a pool, if its queue has no room for them.

        Raises:
            QueueFull: Then.
        """
        limit = self.pools[pool].queue_limit
        waiting = self.counts.number(pool, State.QUEUED) + self._arriving[pool]
        if waiting + number > limit:
            raise QueueFull(
                f"{waiting} tasks wait in pool {pool}, whose queue_limit is {limit}; "
                "submit again when it has worked some off",
                retry_after=5,
                pool=pool,
            )


def _by_pool(tasks: Iterable[NewTask]) -> dict[str, int]:
    """Return how many of some tasks are to be queued, by pool."""
    found: dict[str, int] = {}
    for task in tasks:
        if task.state is _QUEUED:
            found[task.pool] = found.get(task.pool, 0) + 1
    return found


def _fingerprint(submission: Submission) -> str | None:
    return None if submission.idempotency_key is None else fingerprint_of(submission)
