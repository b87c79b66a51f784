"""Tasks that people delete, or keep from being deleted."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

from msgspec.structs import replace

from pooldeck_server.domain.actions import Action, Deed
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import Conflict
from pooldeck_server.domain.retention import WhyKept
from pooldeck_server.domain.tasks.filter import TaskFilter, TaskRef
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.domain.tasks.submission import BulkDone
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.runtime import acting
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.retention.deleting import Deleting
from pooldeck_server.runtime.tasks.control import TaskControl
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Reader
from pooldeck_server.store.transaction import Transaction

Selection: TypeAlias = TaskFilter | Sequence[str]
"""Which tasks are meant: all that a filter fits, or those of these ids."""

_AT_ONCE: Final = 1000
_SAID: Final = 20  # ids of a deletion that the log of actions says
_WORDS: Final[dict[WhyKept, str]] = {
    "kept": "somebody keeps it; let it go first",
    "not_final": "it has not ended; cancel it first",
    "needed": "a task that comes after it may still need its result; delete that one first",
    "in_pipeline": "it belongs to a pipeline, whose tasks go together: delete all of them by the "
    "filter `pipeline`, once they have ended",
}


@dataclass(kw_only=True, eq=False)
class DeletionByHand:
    """What people and programs delete and keep."""

    recorder: Recorder
    reader: Reader
    clock: Clock
    tasks: TaskControl
    deleting: Deleting

    async def delete(self, task_id: str, reason: str | None = None) -> None:
        """Delete a final task with all that is its.

        Raises:
            NotFound: If there is no such task.
            Conflict: If it has to stay.
        """
        task = await self.tasks.get(task_id)
        now = self.clock.now()
        was = {"function": task.function, "state": task.state}
        action = acting.action(now, Deed.DELETE, "task", task_id, before=was, reason=reason)
        done = await self.deleting.delete(
            [task.seq], now=now, action=action, remember=True, with_pipelines=False
        )
        for why in done.refused:
            raise Conflict(f"task {task_id} cannot be deleted: {_WORDS[why]}")

    async def delete_all(
        self,
        selection: Selection,
        reason: str | None = None,
        *,
        goes_on: Callable[[Mapping[str, int]], bool] = lambda _: True,
    ) -> BulkDone:
        """Delete each final task that is meant; say why others stay.

        Tasks of pipelines go only where the filter says nothing but which pipelines. After each
        part `goes_on` is told what became of how many, and tells whether there is to be another.

        Raises:
            Draining: If the server ends meanwhile; what was deleted until then is gone.
        """
        done: Counter[str] = Counter()
        delete = partial(
            self.deleting.delete,
            now=self.clock.now(),
            action=self._of_many(selection, reason),
            remember=True,
            with_pipelines=means_pipelines(selection),
            pipelines={},
        )
        needed: list[int] = []
        async for found in self._found(selection, done):
            deleted = await delete([ref.seq for ref in found])
            done["deleted"] += deleted.number
            done.update(deleted.refused)
            needed += deleted.needed
            if not goes_on(+done):
                return BulkDone((+done).total(), dict(+done))
        if needed and done["deleted"]:
            deleted = await delete(needed)
            done["deleted"] += deleted.number
            done["needed"] -= len(needed)
            done.update(deleted.refused)
        done = +done
        return BulkDone(done.total(), dict(done))

    def _of_many(self, selection: Selection, reason: str | None) -> Action:
        """Return the action that each part of a deletion adds to; it says what is meant."""
        action = self.tasks.of_many(Deed.DELETE, selection, reason)
        if isinstance(selection, TaskFilter):
            return action
        ids = list(dict.fromkeys(selection))
        return replace(action, after={"chosen": len(ids), "ids": ids[:_SAID]})

    async def count(self, selection: Selection) -> int:
        """Return how many of those that are meant have ended."""
        if isinstance(selection, TaskFilter):
            return await self.tasks.count(selection, final=True)
        found = await self.reader.run(queries.named, list(dict.fromkeys(selection)))
        return sum(ref.state in FINAL for ref in found)

    async def _found(
        self, selection: Selection, done: "Counter[str]"
    ) -> AsyncIterator[Sequence[TaskRef]]:
        """Yield the tasks that are meant, newest first: what comes after others goes before them.

        What is named and not there is counted in `done`.
        """
        if not isinstance(selection, TaskFilter):
            ids = list(dict.fromkeys(selection))
            found = await self.reader.run(queries.named, ids)
            done["not_found"] += len(ids) - len(found)
            yield sorted(found, key=lambda ref: ref.seq, reverse=True)
            return
        states = FINAL.intersection(selection.states or State)
        before: int | None = None
        while states:
            wanted = replace(selection, states=tuple(sorted(states)))
            matching = await self.reader.run(queries.matching, wanted, before, _AT_ONCE)
            yield matching.found
            before = matching.next
            if before is None:
                return

    async def keep(self, task_id: str, *, is_kept: bool) -> StoredTask:
        """Keep a task from being deleted, or let it go again; return it.

        Raises:
            NotFound: If there is no such task.
        """
        now = self.clock.now()
        action = acting.action(now, Deed.KEEP if is_kept else Deed.LET_GO, "task", task_id)

        def write(transaction: Transaction) -> None:
            if records.keep_task(transaction, task_id, now if is_kept else None):
                records.act(transaction, action)

        await self.recorder.perform(write)
        return await self.tasks.get(task_id)


def means_pipelines(selection: Selection) -> bool:
    """Tell whether whole pipelines are meant, and nothing else."""
    if not isinstance(selection, TaskFilter) or not selection.pipelines:
        return False
    return replace(selection, until=None) == TaskFilter(pipelines=selection.pipelines)
