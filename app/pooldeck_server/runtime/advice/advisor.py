"""The advice on each function as of now: its profiles, its pool and the sizes of all pools.

It owns no evidence. An advice is worked out when somebody asks for it, and kept until something
that it rests on has changed.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from pooldeck.cpus import usable_cpus
from pooldeck.kinds import PoolKind
from pooldeck_server.advice import Advice, PoolShape, advise
from pooldeck_server.domain.functions.catalogue import Catalogue
from pooldeck_server.domain.measurements.profiles import Profile
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.profiles import Profiles


class _Ground(NamedTuple):
    """What an advice rests on."""

    pool: str
    profiles: Mapping[PoolKind, Profile]
    shapes: tuple[PoolShape, ...]


class Advisor:
    """Advises on functions.

    Args:
        profiles: What was measured.
        catalogue: Returns the functions as last reported.
        queues: The pools, by name.
    """

    def __init__(
        self,
        profiles: Profiles,
        catalogue: Callable[[], Catalogue],
        queues: Mapping[str, Dispatcher],
    ) -> None:
        self._profiles = profiles
        self._catalogue = catalogue
        self._queues = queues
        self._cpus = usable_cpus()
        self._kept: dict[str, tuple[_Ground, Advice]] = {}

    def of(self, function: str) -> Advice | None:
        """Return the advice on a function; None if it names a pool that does not exist.

        Raises:
            UnknownFunction: If there is no such function.
        """
        pool = self._catalogue().get(function).pool
        return self._advice(function, pool, self.shapes()) if pool in self._queues else None

    def all(self) -> tuple[Advice, ...]:
        """Return the advice on all functions, by name."""
        shapes = self.shapes()
        return tuple(
            self._advice(function.spec.name, function.pool, shapes)
            for function in self._catalogue().functions()
            if function.pool in self._queues
        )

    def misplaced(self) -> tuple[Advice, ...]:
        """Return the advice on functions that should move, by name."""
        return tuple(advice for advice in self.all() if advice.is_misplaced)

    def shapes(self) -> tuple[PoolShape, ...]:
        """Return the pools as they are now."""
        return tuple(
            PoolShape(name, queue.pool.spec.kind, queue.pool.spec.size)
            for name, queue in self._queues.items()
        )

    def _advice(self, function: str, pool: str, shapes: tuple[PoolShape, ...]) -> Advice:
        ground = _Ground(pool, dict(self._profiles.of(function)), shapes)
        kept = self._kept.get(function)
        if kept is not None and kept[0] == ground:
            return kept[1]
        advice = advise(function, pool, ground.profiles, shapes, self._cpus)
        self._kept[function] = ground, advice
        return advice
