"""Cancelling, killing and retrying by hand: one task, some, or all that a filter fits."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, TypeAlias

from msgspec.structs import replace

from pooldeck.kinds import Ending
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import ArgumentsErased, Conflict, NotFound, PooldeckError
from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.domain.tasks.filter import TaskFilter, TaskRef
from pooldeck_server.domain.tasks.states import FINAL, LIVE, State
from pooldeck_server.domain.tasks.submission import BulkDone, Cancelled, CancelOutcome
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.runtime.recording.annotations import Annotations
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.recording.waiters import Waiters
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.door import Door
from pooldeck_server.runtime.tasks.intake import Intake
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Reader

Selection: TypeAlias = TaskFilter | Sequence[str]
"""Which tasks are meant: all that a filter fits, or those of these ids."""

_AT_ONCE: Final = 1000  # tasks in one commit
_COUNTED_AT_ONCE: Final = 10_000
_LOOKS: Final = 10
_COMMIT_SECONDS: Final = 2.0  # for an end that has happened to be committed


@dataclass(kw_only=True, eq=False)
class TaskControl:
    """What people and programs do to tasks that are stored.

    What is done to one task raises `NotFound` if there is no such task.
    """

    recorder: Recorder
    reader: Reader
    clock: Clock
    queues: Mapping[str, Dispatcher]  # the dispatcher of each pool
    intake: Intake
    waiters: Waiters
    door: Door
    annotations: Annotations

    async def get(self, task_id: str) -> StoredTask:
        task = await self.reader.run(queries.task, task_id)
        if task is None:
            raise NotFound(f"there is no task {task_id}")
        return task

    # Cancelling.

    async def cancel(
        self, task_id: str, *, kill: bool = False, reason: str | None = None
    ) -> Cancelled:
        """Cancel a task that has not started, ask one that runs to end itself, or kill it.

        Raises:
            Conflict: If it cannot be said what became of it; try again.
        """
        task = await self.get(task_id)
        for _ in range(_LOOKS):
            if task.state in FINAL:
                return Cancelled("already_ended", task)
            stopped = await self._stop(task.id, task.seq, task.pool, kill=kill)
            if isinstance(stopped, Ending):
                return await self._killed(task, stopped, reason)
            if stopped is None:
                await self._end_of(task.id)
            task = await self.get(task_id)
            if stopped is not None:
                return Cancelled(stopped, task)
        raise Conflict(f"task {task_id} is on its way between two states; try again")

    async def _killed(self, task: StoredTask, ending: Ending, reason: str | None) -> Cancelled:
        """Note that a task was killed, and wait for its end."""
        outcome: CancelOutcome = "abandoned" if ending is Ending.ABANDONED else "killed"
        self.annotations.annotate(
            "kill_task", task.pool, task.id, reason, function=task.function, outcome=outcome
        )
        await self._end_of(task.id)
        return Cancelled(outcome, await self.get(task.id), ending)

    async def _stop(
        self, task_id: str, seq: int, pool: str, *, kill: bool
    ) -> Literal["cancelled", "cancel_requested"] | Ending | None:
        now = self.clock.now()
        queue = self.queues.get(pool)
        if queue is not None:
            return await queue.stop_task(task_id, seq, now, kill=kill)
        moves = await self.recorder.perform(lambda tx: records.cancel(tx, [seq], now))
        return "cancelled" if moves else None

    async def _end_of(self, task_id: str) -> None:
        """Wait until the end of a task is committed, or the task is queued for another attempt."""
        with self.waiters.waiter(task_id) as ended:
            if (await self.get(task_id)).state not in FINAL:
                await asyncio.wait([ended], timeout=_COMMIT_SECONDS)

    async def cancel_all(
        self, selection: Selection, *, kill: bool = False, reason: str | None = None
    ) -> BulkDone:
        """Do the same to each live task that is meant."""
        one = partial(self._cancelled, kill=kill, reason=reason)
        return await self._all(selection, LIVE, one, partial(self._cancel_found, cancel=one))

    async def _cancelled(self, task_id: str, *, kill: bool, reason: str | None) -> str:
        return (await self.cancel(task_id, kill=kill, reason=reason)).outcome

    async def _cancel_found(
        self, found: Sequence[TaskRef], cancel: Callable[[str], Awaitable[str]]
    ) -> "Counter[str]":
        """Cancel in one commit what has not started, then each of the others by itself."""
        by_pool: defaultdict[str, set[int]] = defaultdict(set)
        for ref in found:
            by_pool[ref.pool].add(ref.seq)
        now = self.clock.now()
        cancelled: set[int] = set()
        for pool, seqs in by_pool.items():
            if (queue := self.queues.get(pool)) is not None:
                cancelled |= await queue.cancel(seqs, now)
        rest = [ref.id for ref in found if ref.seq not in cancelled]
        others = await asyncio.gather(*(cancel(one) for one in rest))
        return Counter(others) + Counter(cancelled=len(cancelled))

    # Retrying.

    async def retry(self, task_id: str) -> StoredTask:
        """Queue a final task again, as a new attempt; return it.

        Raises:
            Conflict: If it is not final.
            ArgumentsErased: If its sensitive arguments are gone.
            PooldeckError: If it could not be submitted now either.
        """
        self.door.check()
        task = await self.get(task_id)
        if task.state not in FINAL:
            raise Conflict(f"task {task_id} is {task.state}; only what has ended is run again")
        self.intake.check_again(task.function, task.pool, 1)
        await self._check_before(task)
        if not await self._retry([task.seq]):
            if await self.reader.run(queries.are_arguments_erased, task_id):
                raise ArgumentsErased(
                    f"the sensitive arguments of task {task_id} were erased when it ended; "
                    "submit it anew"
                )
            raise Conflict(f"task {task_id} is being run again already")
        return await self.get(task_id)

    async def _check_before(self, task: StoredTask) -> None:
        """Refuse to run a task again that would be stopped again by one before it."""
        if not task.is_unreleased:
            return
        cause = await self.reader.run(queries.stopper_of, task.seq)
        if cause is not None:
            raise Conflict(
                f"task {task.id} comes after task {cause.id}, which is {cause.state}; retry that "
                "one first"
            )

    async def _retry(self, seqs: Sequence[int]) -> Sequence[TaskChanged]:
        now = self.clock.now()
        return await self.recorder.perform(lambda tx: records.retry(tx, seqs, now))

    async def retry_all(self, selection: Selection) -> BulkDone:
        """Do the same to each final task that is meant."""
        self.door.check()
        return await self._all(selection, FINAL, self._retried, self._retry_found)

    async def _retried(self, task_id: str) -> str:
        await self.retry(task_id)
        return "retried"

    async def _retry_found(self, found: Sequence[TaskRef]) -> "Counter[str]":
        """Queue again in one commit what may be; say why of the others."""
        done: Counter[str] = Counter()
        allowed: list[int] = []
        for ref in found:
            try:
                self.intake.check_again(ref.function, ref.pool, len(allowed) + 1)
            except PooldeckError as error:
                done[error.code] += 1
            else:
                allowed.append(ref.seq)
        if allowed:
            done["retried"] = len(await self._retry(allowed))
            done[ArgumentsErased.code] += len(allowed) - done["retried"]
        return +done

    # Many.

    async def count(self, wanted: TaskFilter, *, final: bool) -> int:
        pages = self._found(_among(wanted, FINAL if final else LIVE), _COUNTED_AT_ONCE)
        return sum([len(found) async for found in pages])

    async def _found(
        self, wanted: TaskFilter | None, limit: int = _AT_ONCE
    ) -> AsyncIterator[tuple[TaskRef, ...]]:
        """Yield the tasks that a filter fits, newest first; what is submitted now is not met."""
        before: int | None = None
        while wanted is not None:
            matching = await self.reader.run(queries.matching, wanted, before, limit)
            yield matching.found
            before = matching.next
            if before is None:
                return

    async def _all(
        self,
        selection: Selection,
        states: frozenset[State],
        one: Callable[[str], Awaitable[str]],
        many: Callable[[Sequence[TaskRef]], Awaitable["Counter[str]"]],
    ) -> BulkDone:
        """Do something to each task that is named, or to those of `states` that a filter fits."""
        done: Counter[str] = Counter()
        if isinstance(selection, TaskFilter):
            async for found in self._found(_among(selection, states)):
                done.update(await many(found))
        else:
            for task_id in dict.fromkeys(selection):
                try:
                    done[await one(task_id)] += 1
                except PooldeckError as error:
                    done[error.code] += 1
        return BulkDone(done.total(), dict(done))


def _among(wanted: TaskFilter, states: frozenset[State]) -> TaskFilter | None:
    """Return the filter for those of `states` that it allows; None if it allows none of them."""
    chosen = states.intersection(wanted.states or State)
    return replace(wanted, states=tuple(sorted(chosen))) if chosen else None
