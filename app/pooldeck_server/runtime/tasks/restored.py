"""A server whose database was put back from a backup: it starts nothing until somebody says what.

What waited in the backup may have run since in the database that it was made from. So its pools
hand nothing out until somebody decides that those tasks run, or are recorded as lost.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Final

import msgspec

from pooldeck.outcome import Error, ErrorKind
from pooldeck_server.domain.actions import Action, Deed
from pooldeck_server.domain.clock import SECOND, Clock
from pooldeck_server.domain.copies import Identity, Word
from pooldeck_server.domain.errors import Conflict
from pooldeck_server.domain.failures.error_groups import group_of
from pooldeck_server.domain.tasks.changes import End, TaskChanged
from pooldeck_server.domain.tasks.filter import TaskRef
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime import acting
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.recording.annotations import Annotations
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Reader
from pooldeck_server.store.transaction import Transaction

_log = logging.getLogger(__name__)
_AT_ONCE: Final = 1000  # tasks in one commit


@dataclass(kw_only=True, eq=False)
class Restored:
    """Whether the database waits for a word, and what is done when somebody gives it."""

    identity: Identity
    recorder: Recorder
    reader: Reader
    clock: Clock
    queues: Mapping[str, Dispatcher]
    annotations: Annotations
    changes: LiveChanges
    waiting: int = field(init=False, default=0)  # tasks that waited in it when the server started
    apply: Callable[[], None] = field(init=False)  # lets the pools be as they were set by hand
    _settling: asyncio.Lock = field(init=False, default_factory=asyncio.Lock)

    @property
    def waits_for_a_word(self) -> bool:
        return self.identity.waits_for_a_word

    def check(self) -> None:
        """Raise `Conflict` while the word is missing."""
        if self.waits_for_a_word:
            raise Conflict(
                f"the database was put back from a backup of {self.made_at}, and nothing of it "
                "runs until somebody says on the page /restored, or by POST /api/v1/restored, "
                "whether the tasks that waited in it run or are lost"
            )

    @property
    def made_at(self) -> str:
        """When the backup was made, for people."""
        at = (self.identity.copied_at or 0) / SECOND
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")

    async def settle(self, word: Word) -> int:
        """Let the tasks that waited run, or record them as lost; return how many these are.

        Raises:
            Conflict: If there is nothing to say.
            StorageUnavailable: If it could not be kept; nothing runs then.
        """
        async with self._settling:
            return await self._settle(word)

    async def settle_if_nothing_waits(self) -> None:
        """Go on as ever where nothing waited in the backup: there is nothing to ask."""
        if not self.waits_for_a_word:
            return
        through = self.identity.through or 0
        self.waiting = await self.reader.run(queries.count_waiting_through, through)
        if not self.waiting:
            await self._note_settled()

    async def _settle(self, word: Word) -> int:
        if not self.waits_for_a_word:
            raise Conflict("no tasks of a backup wait for a word")
        number = self.waiting if word == "run" else await self._lose()
        action = acting.action(
            self.clock.now(),
            Deed.SETTLE_RESTORED,
            "server",
            after={"waiting": word, "number": number},
        )
        await self._note_settled(action)
        self.annotations.annotate("restored", word=word, number=number)
        _log.warning("the tasks that waited in the backup (%d): %s", number, word)
        self.apply()
        self.changes.invalidate()
        return number

    async def _note_settled(self, action: Action | None = None) -> None:
        now = self.clock.now()

        def write(transaction: Transaction) -> None:
            records.settle_copy(transaction, now)
            if action is not None:
                records.act(transaction, action)

        await self.recorder.perform(write)
        self.identity = msgspec.structs.replace(self.identity, settled_at=now)

    async def _lose(self) -> int:
        """Record what waits as lost, wherever it waits; return how many tasks that are."""
        through = self.identity.through or 0
        lost = 0
        while found := await self.reader.run(queries.waiting_through, through, _AT_ONCE):
            done = await self._lose_found(found)
            if not done:
                break
            lost += done
        return lost

    async def _lose_found(self, found: Sequence[TaskRef]) -> int:
        by_pool: defaultdict[str, list[TaskRef]] = defaultdict(list)
        for task in found:
            by_pool[task.pool].append(task)
        done = 0
        for pool, tasks in by_pool.items():
            write = partial(self._record_lost, {task.seq: task for task in tasks})
            seqs = [task.seq for task in tasks]
            queue = self.queues.get(pool)
            if queue is not None:
                done += len(await queue.withdraw(seqs, write))
            else:
                done += len(await self.recorder.perform(lambda tx: write(tx, seqs)))  # noqa: B023
        return done

    def _record_lost(
        self, tasks: Mapping[int, TaskRef], transaction: Transaction, seqs: Sequence[int]
    ) -> list[TaskChanged]:
        return records.lose(transaction, [self._end(tasks[seq]) for seq in seqs])

    def _end(self, task: TaskRef) -> End:
        error = Error(
            ErrorKind.INTERRUPTED,
            "Interrupted",
            f"This task waited in the backup of {self.made_at} that the database was put back "
            "from. It may have run since, and somebody said that it is not to run again.",
        )
        return End(
            task.seq,
            0,
            State.LOST,
            self.clock.now(),
            error_kind=error.kind,
            error=msgspec.json.encode(error).decode(),
            error_group=group_of(error, task.function).id,
        )
