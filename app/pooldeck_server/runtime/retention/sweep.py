"""One look at everything that may be too old or too much, and what it finds.

It reads on a reader thread and owns nothing but where it is; what it yields is looked at once more
by the writer. A pipeline goes as a whole: when the last of its tasks may.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from msgspec import Struct

from pooldeck_server.domain.retention import KeptLane, RetentionRules
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.store import queries
from pooldeck_server.store.database import Reader

_AT_ONCE: Final = 500  # tasks
_PROBED: Final = 4  # of each lane: mostly the first one is too young
_FIRST: Final = (State.SUCCEEDED,)
_THEN: Final = (State.FAILED, State.CANCELLED, State.LOST)


class Candidates(Struct, frozen=True):
    """Tasks to be deleted, if they ended at `cutoff` (microseconds) or before; None: anyway."""

    seqs: Sequence[int]
    cutoff: int | None = None
    is_pipeline: bool = False  # all of one, to go as a whole or to stay


@dataclass(kw_only=True, eq=False)
class RetentionSweep:
    """One look, at the time `now` (microseconds since the epoch)."""

    reader: Reader
    rules: RetentionRules
    now: int
    _ages: dict[str, Sequence[queries.PipelineAge] | None] = field(init=False, default_factory=dict)
    _yielded: set[str] = field(init=False, default_factory=set)  # pipelines

    async def by_age(self) -> AsyncIterator[Candidates]:
        """Yield what is too old, the oldest of each function, pool and state first."""
        for lane in await self.reader.run(queries.final_lanes):
            cutoff = self.rules.cutoff(lane.function, lane.state, self.now)
            if cutoff is not None:
                async for found in self._of_lane(lane, cutoff):
                    yield found

    async def _of_lane(self, lane: KeptLane, cutoff: int) -> AsyncIterator[Candidates]:
        after: int | None = 0
        limit = _PROBED
        while after is not None:
            page = await self.reader.run(queries.aged, lane, cutoff, after, limit)
            limit = _AT_ONCE
            if seqs := [each.seq for each in page.found if each.pipeline is None]:
                yield Candidates(seqs, cutoff)
            for pipeline in dict.fromkeys(each.pipeline for each in page.found):
                if pipeline is not None and await self._all(pipeline, self._is_too_old):
                    yield await self._whole(pipeline)
            after = page.next

    async def _all(self, pipeline: str, goes: Callable[[queries.PipelineAge], bool]) -> bool:
        """Tell whether a pipeline is to go: nothing of it has to stay, and all of it `goes`."""
        if pipeline not in self._ages:
            self._ages[pipeline] = await self.reader.run(queries.pipeline_ages, pipeline)
        ages = self._ages[pipeline]
        return ages is not None and pipeline not in self._yielded and all(map(goes, ages))

    async def _whole(self, pipeline: str) -> Candidates:
        """Return all tasks of a pipeline; one that runs again meanwhile ends after this look."""
        self._yielded.add(pipeline)
        seqs = await self.reader.run(queries.pipeline_members, pipeline)
        return Candidates(seqs, self.now, is_pipeline=True)

    def _is_too_old(self, each: queries.PipelineAge) -> bool:
        cutoff = self.rules.cutoff(each.function, each.state, self.now)
        return cutoff is not None and each.last_end is not None and each.last_end <= cutoff

    def excess_of_functions(self, kept: "Counter[str]") -> Iterator[tuple[str, int]]:
        """Yield the functions that have more tasks than they may, and how many more.

        `kept` are the tasks of each function that have ended.
        """
        for function, number in kept.items():
            most = self.rules.most_of(function)
            if most is not None and number > most:
                yield function, number - most

    async def by_number(self, function: str | None = None) -> AsyncIterator[Candidates]:
        """Yield what goes where there are too many, the succeeded first, the oldest of them first.

        Whoever takes them stops when there are few enough. A pipeline is as old as its oldest task,
        and goes with the succeeded if all of it has (of `function`, if that is given).
        """
        for states in (_FIRST, _THEN):
            async for found in self._oldest(states, function):
                yield found

    async def _oldest(
        self, states: Collection[State], function: str | None
    ) -> AsyncIterator[Candidates]:
        def goes(each: queries.PipelineAge) -> bool:
            is_meant = function is None or each.function == function
            return states is _THEN or not is_meant or each.state in states

        after = 0
        while True:
            found = await self.reader.run(queries.oldest, states, after, _AT_ONCE, function)
            if not found:
                return
            after = found[-1].seq
            for pipeline, each in groupby(found, lambda task: task.pipeline):
                if pipeline is None:
                    yield Candidates([task.seq for task in each])
                elif await self._all(pipeline, goes):
                    yield await self._whole(pipeline)
