"""Moves functions by what was measured of them, where their owners have given their word.

It owns no evidence: the catalogue says where each function is and what its owner vouches for,
`pooldeck_server.advice.moving` when it should be moved.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from pooldeck.cpus import usable_cpus
from pooldeck.kinds import KINDS
from pooldeck.pools.model import PoolState
from pooldeck_server.advice import Advice, PoolShape, advise
from pooldeck_server.advice.moving import Leaning, is_ripe, leaning, moved
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.domain.functions.catalogue import RegisteredFunction
from pooldeck_server.domain.functions.placements import Placement
from pooldeck_server.runtime.advice.advisor import Advisor
from pooldeck_server.runtime.advice.placement import Placements
from pooldeck_server.runtime.background import BackgroundPart
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.functions import Functions
from pooldeck_server.runtime.tasks.incidents import Incidents
from pooldeck_server.runtime.tasks.profiles import Profiles

_log = logging.getLogger(__name__)
_SECONDS: Final = 2.0  # between two looks
_DEADLY: Final = 3600.0  # seconds for which what brought a worker down is kept out of shared ones


@dataclass(kw_only=True, eq=False)
class Mover(BackgroundPart):
    """Moves functions that leave their pool to the server, each seldom."""

    doing = "moving functions"

    functions: Functions
    profiles: Profiles
    advisor: Advisor
    queues: Mapping[str, Dispatcher]  # the pools, by name
    incidents: Incidents
    placements: Placements
    clock: Clock
    _wishes: dict[str, Leaning] = field(init=False, default_factory=dict)
    _seen: dict[str, int] = field(init=False, default_factory=dict)  # runs, at the last look

    async def look(self) -> None:
        """Give back what may not be where it is, and move each function whose time it is."""
        try:
            await self.placements.give_back_unvouched()
            for function in self.functions.catalogue.functions():
                if function.spec.options.safe_in:
                    await self._look_at(function)
        except PooldeckError as error:
            _log.warning("functions stay where they are: %s", error)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_SECONDS)
            await self.look()

    async def _look_at(self, function: RegisteredFunction) -> None:
        name, placement = function.spec.name, function.placement
        is_away = placement is not None and placement.pool in self.advisor.hosted
        if placement is None or is_away or placement.is_settled_for(function.spec.code):
            self._wishes.pop(name, None)
        elif self._has_news(name):
            await self._consider(function, placement)

    def _has_news(self, name: str) -> bool:
        """Tell whether a function ran since it was last looked at."""
        runs = sum(profile.runs_ever for profile in self.profiles.of(name).values())
        before, self._seen[name] = self._seen.get(name, 0), runs
        return runs != before

    async def _consider(self, function: RegisteredFunction, placement: Placement) -> None:
        """Move a function if an advice against its place has stood for long enough."""
        name, now = function.spec.name, self.clock.monotonic()
        advice = self._advice(name, placement.pool)
        wish = leaning(advice, self._wishes.pop(name, None), now)
        if wish is None or not self.functions.catalogue.is_vouched_for(name, wish.pool):
            return
        self._wishes[name] = wish
        if self._would_take_others_along(name, wish.pool):
            return
        if is_ripe(wish, placement, now, self.clock.now()):
            target = moved(wish, advice, placement, self.clock.now())
            await self.placements.move(name, placement, target)
            self._wishes.pop(name, None)

    def _advice(self, name: str, present: str) -> Advice:
        """Return the advice on a function, with only those pools as a target that run."""
        shapes = tuple(shape for shape in self.advisor.shapes() if self._is_open(shape, present))
        return advise(name, present, self.profiles.of(name), shapes, usable_cpus())

    def _is_open(self, shape: PoolShape, present: str) -> bool:
        return shape.name == present or self.queues[shape.name].pool.state is PoolState.RUNNING

    def _would_take_others_along(self, name: str, pool: str) -> bool:
        if KINDS[self.queues[pool].pool.spec.kind].is_alone:
            return False
        return name in set(self._deadly())

    def _deadly(self) -> Iterator[str]:
        """Yield the functions under which workers died lately, or may have."""
        for pool in self.queues:
            for incident in self.incidents.latest(pool, _DEADLY):
                if incident.culprit is not None:
                    yield incident.culprit.function
                yield from (suspect.function for suspect in incident.suspects)
