"""Moves functions that leave their pool to the server, by what was measured of them.

It owns no evidence: the directory's catalogue says where each function is, `app.advice.moving` when
it should be moved. A placement is stored first and counts for what is submitted after that; tasks
that wait stay in the queue that they are in.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from app.advice import Advice, PoolShape, advise
from app.advice.moving import Leaning, is_ripe, leaning, moved
from app.domain.catalogue import RegisteredFunction
from app.domain.clock import Clock
from app.domain.errors import Conflict, NotFound, PooldeckError, UnknownFunction, UnknownPool
from app.domain.placements import Placement, PlacementRule
from app.runtime.advice.advisor import Advisor
from app.runtime.advice.profiles import Profiles
from app.runtime.ongoing import Ongoing
from app.runtime.record.annotations import Annotations
from app.runtime.record.recorder import Recorder
from app.runtime.work.directory import Directory
from app.runtime.work.dispatcher import Dispatcher
from app.runtime.work.incidents import Incidents
from app.store import records
from pooldeck.cpus import usable_cpus
from pooldeck.pools.crew import PoolState

_log = logging.getLogger(__name__)
_SECONDS: Final = 2.0  # between two looks
_DEADLY: Final = 3600.0  # seconds for which a function under which a worker died stays in processes


class Placements:
    """Where the functions are that leave their pool to the server.

    Args:
        directory: Holds the catalogue, which says where each of them is.
        profiles: What was measured.
        advisor: Knows the pools.
        queues: The pools, by name.
        incidents: Knows under which functions workers died.
        recorder: Where placements are kept.
        annotations: Notes each move.
        clock: The server's time.
        on_change: Called after a move.
    """

    def __init__(
        self,
        *,
        directory: Directory,
        profiles: Profiles,
        advisor: Advisor,
        queues: Mapping[str, Dispatcher],
        incidents: Incidents,
        recorder: Recorder,
        annotations: Annotations,
        clock: Clock,
        on_change: Callable[[], None],
    ) -> None:
        self._directory = directory
        self._profiles = profiles
        self._advisor = advisor
        self._queues = queues
        self._incidents = incidents
        self._recorder = recorder
        self._annotations = annotations
        self._clock = clock
        self._on_change = on_change
        self._cpus = usable_cpus()
        self._wishes: dict[str, Leaning] = {}
        self._seen: dict[str, int] = {}  # how many runs of a function were looked at
        self._looking = Ongoing("placing functions", self._run)

    def start(self) -> None:
        """Begin to look at what was measured."""
        self._looking.start()

    async def stop(self) -> None:
        """Move nothing any more."""
        await self._looking.stop()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Look at each function that ran since the last look, and move those whose time it is."""
        deadly = set(self._deadly())
        for function in self._directory.catalogue.functions():
            placement = function.placement
            if placement is not None and self._has_news(function.spec.name):
                await self._consider(function.spec.name, placement, deadly)

    async def place(self, name: str, pool: str | None) -> None:
        """Place a function by hand, where it stays until it is given back.

        Args:
            name: The function.
            pool: Where it is to run; None gives it back: it starts anew, and measurements count.

        Raises:
            NotFound: If there is no such function.
            Conflict: If the function names its pool itself.
            UnknownPool: If there is no such pool.
            StorageUnavailable: If it could not be kept; it stays where it is.
        """
        function = self._function(name)
        before = function.placement
        if before is None:
            raise Conflict(
                f'{name} names the pool "{function.pool}" itself, with @task(pool=...); take that '
                "out, and it can be placed here",
                function=name,
            )
        if pool is None:
            await self._give_back(name, before)
            return
        if pool not in self._queues:
            there = ", ".join(self._queues)
            raise UnknownPool(f'there is no pool "{pool}"; there are: {there}', field="/pool")
        await self._settle(
            name,
            Placement(
                pool,
                PlacementRule.BY_HAND,
                since=self._clock.now(),
                before=before.pool,
                moves=before.moves,
            ),
        )

    def _function(self, name: str) -> RegisteredFunction:
        try:
            return self._directory.catalogue.get(name)
        except UnknownFunction as error:  # in a path it is the address that does not exist
            raise NotFound(error.detail) from None

    # What is measured.

    def _has_news(self, name: str) -> bool:
        """Tell whether a function ran since it was last looked at."""
        runs = sum(profile.runs_ever for profile in self._profiles.of(name).values())
        if runs == self._seen.get(name, 0):
            return False
        self._seen[name] = runs
        return True

    async def _consider(self, name: str, placement: Placement, deadly: set[str]) -> None:
        """Move a function if an advice against its place has stood for long enough."""
        advice = self._advice(name, placement.pool)
        wish = leaning(advice, self._wishes.get(name), self._clock.monotonic())
        if wish is None or placement.rule is PlacementRule.BY_HAND:
            self._wishes.pop(name, None)
            return
        self._wishes[name] = wish
        if name in deadly and self._queues[wish.pool].pool.spec.kind == "thread":
            return  # in a thread it would take others along
        if is_ripe(wish, placement, self._clock.monotonic(), self._clock.now()):
            await self._move(name, moved(wish, advice, placement, self._clock.now()))

    def _advice(self, name: str, present: str) -> Advice:
        """Return the advice on a function, with only those pools as a target that run."""
        shapes = tuple(shape for shape in self._advisor.shapes() if self._is_open(shape, present))
        return advise(name, present, self._profiles.of(name), shapes, self._cpus)

    def _is_open(self, shape: PoolShape, present: str) -> bool:
        return shape.name == present or self._queues[shape.name].pool.state is PoolState.RUNNING

    def _deadly(self) -> Iterator[str]:
        """Yield the functions under which workers died lately, or may have."""
        for pool in self._queues:
            for incident in self._incidents.latest(pool, _DEADLY):
                if incident.culprit is not None:
                    yield incident.culprit.function
                yield from (suspect.function for suspect in incident.suspects)

    # Moving.

    async def _move(self, name: str, placement: Placement) -> None:
        try:
            await self._settle(name, placement)
        except PooldeckError as error:
            _log.warning("%s stays where it is: %s", name, error)

    async def _settle(self, name: str, placement: Placement) -> None:
        """Keep a placement, and let it count."""
        await self._recorder.perform(lambda tx: records.save_placement(tx, name, placement))
        self._placed(name, placement)
        self._annotations.note(
            "placed",
            placement.pool,
            name,
            before=placement.before,
            verdict=placement.verdict,
        )

    async def _give_back(self, name: str, before: Placement) -> None:
        await self._recorder.perform(lambda tx: records.forget_placement(tx, name))
        self._placed(name, None)
        pool = self._directory.catalogue.get(name).pool
        if pool != before.pool:
            self._annotations.note("placed", pool, name, before=before.pool, verdict=None)

    def _placed(self, name: str, placement: Placement | None) -> None:
        self._directory.place(name, placement)
        self._wishes.pop(name, None)
        self._on_change()
