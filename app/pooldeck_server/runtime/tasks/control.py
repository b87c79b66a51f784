"""Cancelling, killing and retrying by hand: one task, some, or all that a filter fits."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal, TypeAlias

from msgspec import to_builtins
from msgspec.structs import replace

from pooldeck.kinds import Ending
from pooldeck_server.domain.actions import Action, Deed
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import (
    ArgumentsErased,
    Conflict,
    NotFound,
    PooldeckError,
    no_pool,
)
from pooldeck_server.domain.retention import no_task
from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.domain.tasks.filter import TaskFilter, TaskRef
from pooldeck_server.domain.tasks.states import FINAL, LIVE, State
from pooldeck_server.domain.tasks.submission import BulkDone, Cancelled, CancelOutcome
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.runtime import acting
from pooldeck_server.runtime.recording.annotations import Annotations
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.recording.waiters import Waiters
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.door import Door
from pooldeck_server.runtime.tasks.intake import Intake
from pooldeck_server.runtime.tasks.restored import Restored
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Reader
from pooldeck_server.store.transaction import Transaction

Selection: TypeAlias = TaskFilter | Sequence[str]
"""Which tasks are meant: all that a filter fits, or those of these ids."""

_AT_ONCE: Final = 1000  # tasks in one commit
_COUNTED_AT_ONCE: Final = 10_000
_LOOKS: Final = 10
_COMMIT_SECONDS: Final = 2.0  # for an end that has happened to be committed
_KILLED: Final[Mapping[Ending, CancelOutcome]] = {
    Ending.ABANDONED: "abandoned",
    Ending.UNREACHED: "unreached",
}
"""What killing did that did not just end a process or a command."""


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
    restored: Restored
    check_decided: Callable[[str, int], None] = lambda _task, _seq: None  # raises `Conflict` if not

    async def get(self, task_id: str) -> StoredTask:
        task = await self.reader.run(queries.task, task_id)
        if task is None:
            raise no_task(task_id, await self.reader.run(queries.deleted, "task", task_id))
        return task

    # Cancelling.

    async def cancel(
        self, task_id: str, *, kill: bool = False, reason: str | None = None
    ) -> Cancelled:
        """Cancel a task that has not started, ask one that runs to end itself, or kill it.

        Raises:
            Conflict: If it cannot be said what became of it; try again.
        """
        deed = Deed.KILL if kill else Deed.CANCEL
        action = acting.action(self.clock.now(), deed, "task", task_id, reason=reason)
        return await self._cancel(task_id, action, kill=kill)

    async def _cancel(self, task_id: str, action: Action, *, kill: bool) -> Cancelled:
        """Do that to one task as a part of `action`."""
        task = await self.get(task_id)
        for _ in range(_LOOKS):
            if task.state in FINAL:
                return Cancelled("already_ended", task)
            self.check_decided(task.id, task.seq)
            action = _of_one(action, task)
            stopped = await self._stop(task, action, kill=kill)
            if isinstance(stopped, Ending):
                return await self._killed(task, stopped, action)
            if stopped is None:
                await self._end_of(task.id)
            task = await self.get(task_id)
            if stopped == "cancel_requested":
                self.recorder.record_action(action, [task.seq])
            if stopped is not None:
                return Cancelled(stopped, task)
        raise Conflict(f"task {task_id} is on its way between two states; try again")

    async def _killed(self, task: StoredTask, ending: Ending, action: Action) -> Cancelled:
        """Note that a task was killed, and wait for its end where that is near."""
        outcome = _KILLED.get(ending, "killed")
        self.recorder.record_action(action, [task.seq])
        self.annotations.annotate(
            "kill_task", task.pool, task.id, action.reason, function=task.function, outcome=outcome
        )
        if ending is not Ending.UNREACHED:
            await self._end_of(task.id)
        return Cancelled(outcome, await self.get(task.id), ending)

    async def _stop(
        self, task: StoredTask, action: Action, *, kill: bool
    ) -> Literal["cancelled", "cancel_requested"] | Ending | None:
        write = partial(_record_cancelled, action=action, now=self.clock.now())
        queue = self.queues.get(task.pool)
        if queue is not None:
            return await queue.stop_task(task.id, task.seq, write, kill=kill)
        moves = await self.recorder.perform(lambda tx: write(tx, [task.seq]))
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
        action = self.of_many(Deed.KILL if kill else Deed.CANCEL, selection, reason)
        one = partial(self._cancelled, action=action, kill=kill)
        many = partial(self._cancel_found, cancel=one, action=action)
        return await self._all(selection, LIVE, one, many)

    async def cancel_unschedulable(self, pool: str, function: str | None = None) -> BulkDone:
        """Cancel the tasks of a pool that wait since no worker can run them.

        Args:
            pool: The pool.
            function: Only those of this function, if it is named.

        Raises:
            NotFound: If there is no such pool.
        """
        if pool not in self.queues:
            raise NotFound(no_pool(pool, self.queues))
        return await self.cancel_all(self.queues[pool].unschedulable.ids(function))

    async def _cancelled(self, task_id: str, *, action: Action, kill: bool) -> str:
        try:
            return (await self._cancel(task_id, action, kill=kill)).outcome
        except Conflict as error:
            return error.code

    async def _cancel_found(
        self, found: Sequence[TaskRef], cancel: Callable[[str], Awaitable[str]], action: Action
    ) -> "Counter[str]":
        """Cancel in one commit what has not started, then each of the others by itself."""
        by_pool: defaultdict[str, set[int]] = defaultdict(set)
        for ref in found:
            by_pool[ref.pool].add(ref.seq)
        write = partial(_record_cancelled, action=action, now=self.clock.now())
        cancelled: set[int] = set()
        for pool, seqs in by_pool.items():
            if (queue := self.queues.get(pool)) is not None:
                cancelled |= await queue.withdraw(seqs, write)
        rest = [ref.id for ref in found if ref.seq not in cancelled]
        others = await asyncio.gather(*(cancel(one) for one in rest))
        return Counter(others) + Counter(cancelled=len(cancelled))

    # Retrying.

    async def retry(self, task_id: str, reason: str | None = None) -> StoredTask:
        """Queue a final task again, as a new attempt; return it.

        Raises:
            Conflict: If it is not final.
            ArgumentsErased: If its sensitive arguments are gone.
            PooldeckError: If it could not be submitted now either.
        """
        action = acting.action(self.clock.now(), Deed.RETRY, "task", task_id, reason=reason)
        return await self._retry_one(task_id, action)

    async def _retry_one(self, task_id: str, action: Action) -> StoredTask:
        """Do that to one task as a part of `action`."""
        self.door.check()
        self.restored.check()
        task = await self.get(task_id)
        if task.state not in FINAL:
            raise Conflict(f"task {task_id} is {task.state}; only what has ended is run again")
        self.intake.check_again(task.function, task.pool, 1)
        await self._check_before(task)
        if not await self._retry([task.seq], _of_one(action, task)):
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

    async def _retry(self, seqs: Sequence[int], action: Action) -> Sequence[TaskChanged]:
        write = partial(_record_retried, action=action, now=self.clock.now())
        return await self.recorder.perform(lambda tx: write(tx, seqs))

    async def retry_all(self, selection: Selection, reason: str | None = None) -> BulkDone:
        """Do the same to each final task that is meant."""
        self.door.check()
        self.restored.check()
        action = self.of_many(Deed.RETRY, selection, reason)
        one, many = partial(self._retried, action=action), partial(self._retry_found, action=action)
        return await self._all(selection, FINAL, one, many)

    async def _retried(self, task_id: str, action: Action) -> str:
        await self._retry_one(task_id, action)
        return "retried"

    async def _retry_found(self, found: Sequence[TaskRef], action: Action) -> "Counter[str]":
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
            done["retried"] = len(await self._retry(allowed, action))
            done[ArgumentsErased.code] += len(allowed) - done["retried"]
        return +done

    # Many.

    def of_many(self, deed: Deed, selection: Selection, reason: str | None) -> Action:
        """Return the action that each task of a selection adds to."""
        after = {"filter": _said(selection)} if isinstance(selection, TaskFilter) else None
        return acting.action(self.clock.now(), deed, "tasks", after=after, reason=reason)

    async def count(self, wanted: TaskFilter, *, final: bool) -> int:
        """Return how many tasks a filter fits, of those that have ended or of the others."""
        among = _among(wanted, FINAL if final else LIVE)
        if among is None:
            return 0
        known = await self.reader.run(queries.known_number, among)
        return await self._counted(among) if known is None else known

    async def _counted(self, wanted: TaskFilter) -> int:
        number, before = 0, queries.AFTER_ALL
        while True:
            found = await self.reader.run(queries.search, wanted, before, _COUNTED_AT_ONCE)
            number += len(found.seqs)
            if found.next is None:
                return number
            before = found.next

    async def _found(self, wanted: TaskFilter | None) -> AsyncIterator[tuple[TaskRef, ...]]:
        """Yield the tasks that a filter fits, newest first; what is submitted now is not met."""
        before: int | None = None
        while wanted is not None:
            matching = await self.reader.run(queries.matching, wanted, before, _AT_ONCE)
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


def _said(wanted: TaskFilter) -> dict[str, Any]:
    """Return the conditions that a filter has, by name."""
    return {name: value for name, value in to_builtins(wanted).items() if value}


def _of_one(action: Action, task: StoredTask) -> Action:
    """Return an action on one task with the state that it is in; of many, the action itself."""
    return replace(action, before={"state": task.state}) if action.target else action


def _record_cancelled(
    transaction: Transaction, seqs: Sequence[int], action: Action, now: int
) -> list[TaskChanged]:
    moves = records.cancel(transaction, seqs, now)
    records.act_on_moved(transaction, action, moves)
    return moves


def _record_retried(
    transaction: Transaction, seqs: Sequence[int], action: Action, now: int
) -> list[TaskChanged]:
    moves = records.retry(transaction, seqs, now)
    records.act_on_moved(transaction, action, moves)
    return moves
