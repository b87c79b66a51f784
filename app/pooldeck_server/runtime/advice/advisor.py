"""The advice on each function as of now: its profiles, its pool and the sizes of all pools.

It owns no evidence. An advice is worked out when somebody asks for it, and kept until something
that it rests on has changed.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec.structs import replace

from pooldeck.cpus import usable_cpus
from pooldeck.kinds import PoolKind
from pooldeck.risks import Risk
from pooldeck_server.advice import Advice, PoolShape, advise
from pooldeck_server.domain.functions.catalogue import RegisteredFunction
from pooldeck_server.domain.measurements.profiles import Profile
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.functions import Functions
from pooldeck_server.runtime.tasks.profiles import Profiles


class _Evidence(NamedTuple):
    """What an advice rests on."""

    pool: str
    profiles: Mapping[PoolKind, Profile]
    shapes: tuple[PoolShape, ...]
    risks: tuple[Risk, ...] | None


@dataclass(kw_only=True, eq=False)
class Advisor:
    """Advises on functions."""

    profiles: Profiles
    functions: Functions
    queues: Mapping[str, Dispatcher]  # the pools, by name
    hosted: Container[str] = ()  # those on hosts: what suits them is not measured
    _cpus: int = field(init=False, default_factory=usable_cpus)
    _kept: dict[str, tuple[_Evidence, Advice]] = field(init=False, default_factory=dict)

    def of(self, function: str) -> Advice | None:
        """Return the advice on a function; None if its pool does not exist, or is on hosts.

        Raises:
            UnknownFunction: If there is no such function.
        """
        found = self.functions.catalogue.get(function)
        return self._advice(found, self.shapes()) if self._is_measured(found.pool) else None

    def _is_measured(self, pool: str) -> bool:
        return pool in self.queues and pool not in self.hosted

    def all(self) -> tuple[Advice, ...]:
        shapes = self.shapes()
        return tuple(
            self._advice(function, shapes)
            for function in self.functions.catalogue.functions()
            if self._is_measured(function.pool)
        )

    def misplaced(self) -> tuple[Advice, ...]:
        return tuple(advice for advice in self.all() if advice.is_misplaced)

    def undecided(self) -> tuple[Advice, ...]:
        """Return the advice on the misplaced functions of which nobody has decided where they run.

        A person decides by placing one; a move that was undone has shown that it stays.
        """
        return tuple(advice for advice in self.misplaced() if not self._is_settled(advice.function))

    def _is_settled(self, name: str) -> bool:
        function = self.functions.catalogue.get(name)
        placement = function.placement
        return placement is not None and placement.is_settled_for(function.spec.code)

    def shapes(self) -> tuple[PoolShape, ...]:
        return tuple(
            PoolShape(name, spec.kind, spec.size, spec.max_memory_bytes)
            for name, spec in ((name, queue.pool.spec) for name, queue in self.queues.items())
            if name not in self.hosted
        )

    def _advice(self, function: RegisteredFunction, shapes: tuple[PoolShape, ...]) -> Advice:
        name, risks = function.spec.name, function.spec.risks
        evidence = _Evidence(function.pool, dict(self.profiles.of(name)), shapes, risks)
        kept = self._kept.get(name)
        if kept is not None and kept[0] == evidence:
            return kept[1]
        advice = advise(name, function.pool, evidence.profiles, shapes, self._cpus)
        self._kept[name] = evidence, replace(advice, risks=risks)
        return self._kept[name][1]
