"""The advice on each function as of now: its profiles, its pool and the sizes of all pools.

It owns no evidence. An advice is worked out when somebody asks for it, and kept until something
that it rests on has changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pooldeck.cpus import usable_cpus
from pooldeck.kinds import PoolKind
from pooldeck_server.advice import Advice, PoolShape, advise
from pooldeck_server.domain.measurements.profiles import Profile
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.functions import Functions
from pooldeck_server.runtime.tasks.profiles import Profiles


class _Evidence(NamedTuple):
    """What an advice rests on."""

    pool: str
    profiles: Mapping[PoolKind, Profile]
    shapes: tuple[PoolShape, ...]


@dataclass(kw_only=True, eq=False)
class Advisor:
    """Advises on functions."""

    profiles: Profiles
    functions: Functions
    queues: Mapping[str, Dispatcher]  # the pools, by name
    _cpus: int = field(init=False, default_factory=usable_cpus)
    _kept: dict[str, tuple[_Evidence, Advice]] = field(init=False, default_factory=dict)

    def of(self, function: str) -> Advice | None:
        """Return the advice on a function; None if it names a pool that does not exist.

        Raises:
            UnknownFunction: If there is no such function.
        """
        pool = self.functions.catalogue.get(function).pool
        return self._advice(function, pool, self.shapes()) if pool in self.queues else None

    def all(self) -> tuple[Advice, ...]:
        shapes = self.shapes()
        return tuple(
            self._advice(function.spec.name, function.pool, shapes)
            for function in self.functions.catalogue.functions()
            if function.pool in self.queues
        )

    def misplaced(self) -> tuple[Advice, ...]:
        return tuple(advice for advice in self.all() if advice.is_misplaced)

    def shapes(self) -> tuple[PoolShape, ...]:
        return tuple(
            PoolShape(name, queue.pool.spec.kind, queue.pool.spec.size)
            for name, queue in self.queues.items()
        )

    def _advice(self, function: str, pool: str, shapes: tuple[PoolShape, ...]) -> Advice:
        evidence = _Evidence(pool, dict(self.profiles.of(function)), shapes)
        kept = self._kept.get(function)
        if kept is not None and kept[0] == evidence:
            return kept[1]
        advice = advise(function, pool, evidence.profiles, shapes, self._cpus)
        self._kept[function] = evidence, advice
        return advice
