"""Takes submissions in: checked against the catalogue, stored, then offered to their queue.

It owns the order of submission: ids and sequence numbers. The API feeds it; an answer goes out only
after the commit.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
from msgspec.structs import replace

from pooldeck.functions import RunOptions
from pooldeck_server.domain.clock import Clock, micros, span
from pooldeck_server.domain.errors import (
    PooldeckError,
    QueueFull,
    Starting,
    UnknownPool,
    no_pool,
)
from pooldeck_server.domain.functions.catalogue import RegisteredFunction
from pooldeck_server.domain.functions.placements import AUTO
from pooldeck_server.domain.tasks.ids import TaskIds
from pooldeck_server.domain.tasks.pipelines import Dependencies
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.submission import Accepted, Submission
from pooldeck_server.domain.tasks.task import NewTask, TaskKey
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.counts import Counts
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.door import Door
from pooldeck_server.runtime.tasks.functions import Functions
from pooldeck_server.runtime.tasks.holds import Holds
from pooldeck_server.runtime.tasks.idempotency import IdempotencyKeys, fingerprint_of
from pooldeck_server.runtime.tasks.linking import NO_TIES, shown, tie
from pooldeck_server.runtime.tasks.scheduler import Scheduler
from pooldeck_server.settings import PoolSettings
from pooldeck_server.store.database import Reader

_CHOOSABLE: Final = [
    name for name in RunOptions.__struct_fields__ if name in Submission.__struct_fields__
]
_decode = msgspec.json.Decoder().decode


@dataclass(kw_only=True, eq=False)
class Intake:
    """The door for submissions."""

    recorder: Recorder
    reader: Reader
    clock: Clock
    ids: TaskIds
    last_seq: int  # the sequence number of the newest task in the store
    functions: Functions
    queues: Mapping[str, Dispatcher]  # the dispatcher of each pool
    pools: Mapping[str, PoolSettings]  # the settings of each pool
    counts: Counts
    holds: Holds
    door: Door
    scheduler: Scheduler
    on_tied: Callable[[Iterable[int]], None]  # given the numbers of tasks that come after others
    _arriving: Counter[str] = field(init=False, default_factory=Counter)  # at the store, by pool

    def __post_init__(self) -> None:
        self._keys = IdempotencyKeys(self.reader)

    async def submit(self, submission: Submission, idempotency_key: str | None = None) -> Accepted:
        """Store one submission, or find the task that its key already stands for.

        Raises:
            PooldeckError: If it is refused; nothing is stored then.
        """
        self.door.check()
        task, ties = self.check(submission, idempotency_key), NO_TIES
        if submission.may_come_after:
            (task,), ties = await tie(self.reader, [task], [submission])
        if idempotency_key is None:
            return Accepted(shown(await self._store_one(task, ties), ties), created=True)
        async with self._keys.hold([idempotency_key]):
            known = await self._keys.known([task])
            if found := known.get(idempotency_key):
                return Accepted(found, created=False)
            return Accepted(shown(await self._store_one(task, ties), ties), created=True)

    async def submit_batch(self, submissions: Sequence[Submission]) -> list[str]:
        """Store all submissions in one commit, or none; return their ids in order.

        Raises:
            PooldeckError: If any is refused; `index` in its `extra` says which.
        """
        self.door.check()
        checked = [self._check_item(position, item) for position, item in enumerate(submissions)]
        tasks, ties = await tie(self.reader, checked, submissions)
        keys = {task.idempotency_key for task in tasks if task.idempotency_key is not None}
        if not keys:
            await self.store(tasks, ties)
            return [task.id for task in tasks]
        async with self._keys.hold(keys):
            ids = {key: task.id for key, task in (await self._keys.known(tasks)).items()}
            fresh = []
            for task in tasks:
                if task.idempotency_key is None or task.idempotency_key not in ids:
                    fresh.append(task)
                    ids[task.idempotency_key or task.id] = task.id
            if fresh:
                await self.store(fresh, ties.of(task.seq for task in fresh))
        return [ids[task.idempotency_key or task.id] for task in tasks]

    # Checking.

    def _check_item(self, position: int, submission: Submission) -> NewTask:
        try:
            return self.check(submission, submission.idempotency_key)
        except PooldeckError as error:
            error.extra["index"] = position
            raise

    def check(self, submission: Submission, key: str | None = None) -> NewTask:
        """Return the task that a submission becomes, as if it came after no other.

        Raises:
            PooldeckError: If it is refused.
        """
        catalogue = self.functions.catalogue
        if not catalogue.is_known:
            raise Starting("no worker has reported its functions yet", retry_after=1)
        function = catalogue.get(submission.function)
        self.holds.check(submission.function)
        args, kwargs = bytes(submission.args), bytes(submission.kwargs)
        values = _decode(args), _decode(kwargs)
        function.check(*values, with_references=submission.may_come_after)
        shown = function.redact(*values) or (None, None)
        now = self.clock.now()
        run_at = _run_at(submission, now)
        pool, placed = self._place(submission, function)
        key_of_task = self.next_key()
        return NewTask(
            seq=key_of_task.seq,
            id=key_of_task.id,
            function=submission.function,
            pool=pool,
            state=State.QUEUED if run_at is None else State.SCHEDULED,
            priority=_priority(submission, function),
            created_at=now,
            args=args.decode(),
            kwargs=kwargs.decode(),
            run_at=run_at,
            tags=submission.tags,
            shown_args=shown[0],
            shown_kwargs=shown[1],
            idempotency_key=key,
            fingerprint=None if key is None else fingerprint_of(submission),
            options=_options(submission, function),
            placed=placed,
        )

    def next_key(self) -> TaskKey:
        """Return the number and the id of one more task."""
        self.last_seq += 1
        return TaskKey(self.last_seq, self.ids.next())

    def _place(
        self, submission: Submission, function: RegisteredFunction
    ) -> tuple[str, str | None]:
        """Return the pool of a task, and what it keeps of why if the server chose it."""
        pool = submission.pool
        if pool is None or pool == AUTO:
            return function.pool, function.placed_text
        self._check_pool(pool)
        return pool, None

    def _check_pool(self, pool: str) -> None:
        if pool not in self.queues:
            raise UnknownPool(no_pool(pool, self.queues), field="/pool")

    # Storing.

    async def _store_one(self, task: NewTask, ties: Dependencies) -> NewTask:
        """Store a task; where nothing waits before it, claim it in the same commit."""
        queue = self.queues[task.pool]
        reservation = queue.reserve(task.function) if task.state is State.QUEUED else None
        if reservation is None:
            await self.store([task], ties)
            return task
        task = task.claim()

        def settled(is_stored: bool) -> None:
            if is_stored:
                queue.accept(task.as_queued(), reservation)
            else:
                queue.give_up()

        await self.recorder.insert([task], settled)
        return task

    async def store(self, tasks: Sequence[NewTask], ties: Dependencies = NO_TIES) -> None:
        """Commit `tasks` with what ties them to others, then offer them to their queues.

        Raises:
            PooldeckError: If there is no room for them, or they cannot be written.
        """
        arriving = Counter(task.pool for task in tasks if task.state is State.QUEUED)
        self._check_room(arriving)
        self._arriving.update(arriving)

        def settled(is_stored: bool) -> None:
            self._arriving.subtract(arriving)
            if is_stored:
                self._offer(tasks)
                self.on_tied(task.seq for task in ties.tasks)

        await self.recorder.insert(tasks, settled, ties)

    def check_again(self, function: str, pool: str, number: int) -> None:
        """Find out whether so many stored tasks of a function may be queued again.

        Raises:
            PooldeckError: If not: its function or pool is gone, on hold, or the queue is full.
        """
        self.functions.catalogue.get(function)
        self.holds.check(function)
        self._check_pool(pool)
        self._check_room(Counter({pool: number}))

    def _offer(self, tasks: Sequence[NewTask]) -> None:
        """Let tasks that are stored wait for a slot, or for their time."""
        queues = {task.pool for task in tasks if task.state is State.QUEUED}
        for task in tasks:
            if task.state is State.QUEUED:
                self.queues[task.pool].offer(task.as_queued())
        for pool in queues:
            self.queues[pool].pump()
        if any(task.state is State.SCHEDULED for task in tasks):
            self.scheduler.notify()

    def _check_room(self, arriving: "Counter[str]") -> None:
        for pool, number in arriving.items():
            limit = self.pools[pool].queue_limit
            waiting = self.counts.number(pool, State.QUEUED) + self._arriving[pool]
            if waiting + number > limit:
                raise QueueFull(
                    f"{waiting} tasks wait in pool {pool}, whose queue_limit is {limit}; "
                    "submit again when it has worked some off",
                    retry_after=5,
                    pool=pool,
                )


def _run_at(submission: Submission, now: int) -> int | None:
    """Return when the task may run (microseconds), or None for at once."""
    if submission.delay:
        return now + span(submission.delay)
    if submission.run_at is None:
        return None
    moment = micros(submission.run_at)
    return moment if moment > now else None


def _priority(submission: Submission, function: RegisteredFunction) -> int:
    return function.spec.options.priority if submission.priority is None else submission.priority


def _options(submission: Submission, function: RegisteredFunction) -> str | None:
    """Return what the task keeps of how it is run, as JSON."""
    named = {name: getattr(submission, name) for name in _CHOOSABLE}
    chosen = {name: value for name, value in named.items() if value is not None}
    options = function.run_options
    return (replace(options, **chosen) if chosen else options).to_json()
