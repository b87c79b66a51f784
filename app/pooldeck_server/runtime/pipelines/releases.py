"""Releases tasks whose others have ended, or stops them.

`Waits` says which tasks to look at; the store says what is to become of them; the recorder writes
it. At the start all are looked at, so that nothing depends on what a server that is gone had in
mind. One coroutine does all of it, a part at a time.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import DiskFull, StorageUnavailable
from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.domain.tasks.dependencies import NeedState
from pooldeck_server.domain.tasks.releases import Decision, FanOut, Refusal, Release, Stop, stopper
from pooldeck_server.domain.tasks.task import TaskKey
from pooldeck_server.runtime.background import BackgroundPart
from pooldeck_server.runtime.pipelines.resolving import Resolved, Terms, resolve
from pooldeck_server.runtime.pipelines.waits import Waits
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.functions import Functions
from pooldeck_server.runtime.tasks.requeue import Requeue
from pooldeck_server.settings import LimitSettings
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Reader
from pooldeck_server.store.transaction import Transaction

_log = logging.getLogger(__name__)
_AT_ONCE: Final = 200  # tasks looked at before what is decided is written
_RETRY_SECONDS: Final = 1.0


@dataclass(kw_only=True, eq=False)
class Releases(BackgroundPart):
    """What brings tasks on that wait for others."""

    doing = "releasing tasks that waited for others"

    waits: Waits
    recorder: Recorder
    reader: Reader
    clock: Clock
    functions: Functions
    limits: LimitSettings
    next_key: Callable[[], TaskKey]  # gives the number and the id for one more task
    requeue: Requeue

    async def _run(self) -> None:
        self.waits.add_due(await self.reader.run(queries.awaiting))
        while True:
            seqs = await self.waits.due()
            for part in _parts(seqs):
                await self._try(part)

    async def _try(self, seqs: Sequence[int]) -> None:
        """Look at some tasks; where the store cannot, look again later."""
        try:
            await self.bring_on(seqs)
        except (StorageUnavailable, DiskFull) as error:
            _log.warning("tasks that wait for others were not released: %s", error)
            self.waits.add_due(seqs)
            await asyncio.sleep(_RETRY_SECONDS)
        except Exception:  # noqa: BLE001 - whatever is wrong with one must not stop all others
            if len(seqs) == 1:  # it waits until a restart
                _log.exception("task number %d could not be released", seqs[0])
                return
            for seq in seqs:
                await self._try([seq])

    async def bring_on(self, seqs: Sequence[int]) -> None:
        """Bring those of these tasks on that have nothing left to wait for.

        Raises:
            PooldeckError: If the store cannot be read or written.
        """
        found = await self.reader.run(queries.needs, seqs)
        outdated: frozenset[int] = frozenset()
        decisions = [
            decision
            for seq, needs in found.items()
            if (decision := await self._decide(seq, needs)) is not None
        ]
        if decisions:
            now = self.clock.now()
            new, outdated = await self.recorder.perform(lambda tx: _write(tx, decisions, now))
            self.requeue.bring(new)
        for decision in decisions:
            if _seq_of(decision) not in outdated:
                self._forget(decision)
        self.waits.add_due(outdated)  # to be decided anew, for what they have become
        for seq in set(seqs) - found.keys():
            self.waits.forget(seq)

    async def _decide(self, seq: int, needs: Sequence[NeedState]) -> Decision | None:
        """Return what becomes of a task; None if it has to wait on."""
        if (cause := stopper(needs)) is not None:
            return Stop(seq, cause.id)
        if all(need.has_ended for need in needs):
            resolved = await self.reader.run(resolve, seq, needs, self._terms())
            return self._spread(resolved) if isinstance(resolved, Resolved) else resolved
        if self.waits.expect(needs):
            self.waits.add_due([seq])
        return None

    def _terms(self) -> Terms:
        return Terms(self.functions.catalogue, self.limits, self.clock.now())

    def _spread(self, resolved: Resolved) -> Release | FanOut:
        if not resolved.releases:
            return FanOut(Stop(resolved.task.seq, None, items=0))
        head, *others = resolved.releases
        if not resolved.is_spread:
            return head
        tasks = [resolved.task.sibling(release, self.next_key()) for release in others]
        places = [
            resolved.task.place_of(release, task.seq)
            for release, task in zip(others, tasks, strict=True)
        ]
        return FanOut(head, tuple(tasks), tuple(places))

    def _forget(self, decision: Decision) -> None:
        """Forget a task that waits no more; those after one that was spread wait for more."""
        if isinstance(decision, FanOut):
            self.waits.add_due(self.waits.followers(decision.head.seq))
            self.waits.forget(decision.head.seq)
        else:
            self.waits.forget(decision.seq)


def _parts(seqs: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(seqs), _AT_ONCE):
        yield seqs[start : start + _AT_ONCE]


def _seq_of(decision: Decision) -> int:
    return decision.head.seq if isinstance(decision, FanOut) else decision.seq


def _basis(decisions: Iterable[Decision]) -> Iterator[tuple[int, int]]:
    """Yield the tasks whose arguments were looked at, with how often they had been changed."""
    for decision in decisions:
        decided = decision.head if isinstance(decision, FanOut) else decision
        if not isinstance(decided, Stop):
            yield decided.seq, decided.edits


def _write(
    transaction: Transaction, decided: Sequence[Decision], now: int
) -> tuple[list[TaskChanged], frozenset[int]]:
    """Write what was decided, but for tasks that were changed meanwhile.

    Returns:
        The moves of the tasks that are new by it, and those that were changed.
    """
    outdated = records.edited_since(transaction, _basis(decided))
    decisions = [each for each in decided if _seq_of(each) not in outdated]
    releases = [each for each in decisions if isinstance(each, Release)]
    records.release_after(transaction, releases)
    moves: list[TaskChanged] = []
    for fan in decisions:
        if isinstance(fan, FanOut):
            moves += records.fan_out(transaction, fan, now)
    refusals = [each for each in decisions if isinstance(each, Refusal)]
    records.refuse_after(transaction, refusals, now)
    stops = [each for each in decisions if isinstance(each, Stop)]
    records.stop_after(transaction, stops, now)
    return moves, outdated
