"""Deletes tasks in small parts, each in a commit of its own, and rests between them."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from pooldeck_server.domain.actions import Action
from pooldeck_server.domain.errors import Draining
from pooldeck_server.domain.retention import WhyKept
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.counts import Counts
from pooldeck_server.store import records
from pooldeck_server.store.transaction import Transaction

BUDGET_SECONDS: Final = 0.01  # of the writer's thread for one part
_REST: Final = 7  # times as long as a part took of the CPU, and once as long as it took in all
_LEAST_REST: Final = 0.005  # seconds


class Deleted(Struct, frozen=True):
    """How many tasks were deleted, of each function, and how many were not, by why."""

    functions: dict[str, int]
    refused: dict[WhyKept, int]
    needed: tuple[int, ...]  # the numbers of those of them that others may still need

    @property
    def number(self) -> int:
        return sum(self.functions.values())


@dataclass(kw_only=True, eq=False)
class Deleting:
    """Hands tasks that are to be deleted to the recorder; counts what is gone."""

    recorder: Recorder
    counts: Counts
    changes: LiveChanges
    is_ending: Callable[[], bool]  # tells whether the server was told to end
    ends: Counter[State] = field(init=False, default_factory=Counter)  # deleted since the start

    async def delete(
        self,
        seqs: Sequence[int],
        *,
        now: int,
        action: Action,
        cutoff: int | None = None,
        remember: bool = False,
        with_pipelines: bool = True,
        pipelines: dict[str, bool] | None = None,
    ) -> Deleted:
        """Delete tasks, which is `action` for the log; see `records.delete_tasks`.

        What others of them need goes after these.

        Raises:
            Draining: If the server ends meanwhile; what was deleted until then is gone.
            PooldeckError: If the store does not take it; the same holds.
        """
        functions, refused = Counter[str](), Counter[WhyKept]()
        is_many = len(seqs) > 1
        pipelines = {} if pipelines is None else pipelines
        needed: list[int] = []
        has_gone = False  # since the first of those that are needed was
        while seqs:
            if is_many and self.is_ending():
                raise Draining(
                    "the server is shutting down: the rest was not deleted; delete it when it is "
                    "back",
                    retry_after=5,
                )
            write = partial(
                _delete,
                action=action,
                seqs=seqs,
                now=now,
                cutoff=cutoff,
                budget=BUDGET_SECONDS,
                remember=remember,
                with_pipelines=with_pipelines,
                pipelines=pipelines,
            )
            done = await self.recorder.perform(write)
            functions.update(self._count(done))
            refused.update(done.refused)
            needed += done.needed
            has_gone |= bool(done.gone)
            seqs = seqs[done.through :]
            if not seqs and needed and has_gone:
                refused["needed"] -= len(needed)
                seqs, needed, has_gone = needed, [], False
            if is_many:
                await asyncio.sleep(max(_LEAST_REST, done.seconds, _REST * done.cpu_seconds))
        return Deleted(dict(functions), dict(+refused), tuple(needed))

    async def rest(self) -> None:
        """Leave the writer to others for a moment."""
        await asyncio.sleep(_REST * BUDGET_SECONDS)

    def _count(self, done: records.DeletedPart) -> "Counter[str]":
        """Take what is gone out of the counts that pages show; return how many of each function."""
        found = Counter[str]()
        if not done.gone:
            return found
        self.counts.forget(done.gone)
        for (_, function, state), number in done.gone.items():
            self.ends[state] += number
            found[function] += number
        self.changes.mark_dirty()
        return found


def _delete(transaction: Transaction, action: Action, **what: Any) -> records.DeletedPart:
    done = records.delete_tasks(transaction, **what)
    if done.gone:
        records.act(transaction, replace(action, number=sum(done.gone.values())))
    return done
