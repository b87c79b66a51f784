"""The advice on the size of each pool as of now: its load, what its functions cost, the machine.

It owns no evidence. What the history says changes every ten seconds, so it is read once in that
time at most; the rest is looked at whenever somebody asks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pooldeck.pools.port import PoolPort
from pooldeck_server.advice.numbers import numbers_of
from pooldeck_server.advice.sizes import size_advice
from pooldeck_server.advice.values import Numbers
from pooldeck_server.domain.clock import SECOND, Clock
from pooldeck_server.domain.errors import NotFound, no_pool
from pooldeck_server.domain.pools.history import STRETCH
from pooldeck_server.domain.pools.loads import PoolLoad
from pooldeck_server.domain.pools.sizes import (
    LONG_RUN,
    FunctionCost,
    SizeAdvice,
    SizedPool,
    SizeOrigin,
)
from pooldeck_server.runtime.advice.machine import machine
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.profiles import Profiles
from pooldeck_server.settings import PoolSettings
from pooldeck_server.store import queries
from pooldeck_server.store.database import Reader


@dataclass(kw_only=True, eq=False)
class Sizes:
    """Advises on the sizes of pools."""

    reader: Reader
    clock: Clock
    profiles: Profiles
    settings: Mapping[str, PoolSettings]  # the settings of each pool
    queues: Mapping[str, Dispatcher]  # the pools, by name
    _loads: Mapping[str, PoolLoad] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._read_at = -1

    async def of(self, name: str) -> SizeAdvice:
        """Return the advice on the size of one pool.

        Raises:
            NotFound: If there is no such pool.
        """
        for advice in await self.all():
            if advice.pool.name == name:
                return advice
        raise NotFound(no_pool(name, self.queues))

    async def all(self) -> tuple[SizeAdvice, ...]:
        """Return the advice on the size of each pool, in the order of the settings."""
        loads = await self._lately()
        pools = [self._pool(name, loads.get(name, PoolLoad())) for name in self.queues]
        host = machine()
        return tuple(size_advice(pool, host, pools) for pool in pools)

    async def wrong(self) -> tuple[SizeAdvice, ...]:
        return tuple(each for each in await self.all() if each.recommended is not None)

    async def _lately(self) -> Mapping[str, PoolLoad]:
        stretch = self.clock.now() // SECOND // STRETCH
        if stretch != self._read_at:
            self._loads = await self.reader.run(queries.loads)
            self._read_at = stretch
        return self._loads

    def _pool(self, name: str, load: PoolLoad) -> SizedPool:
        pool = self.queues[name].pool
        costs = [
            (number, numbers_of(self.profiles.of(function)))
            for function, number in load.ran.items()
        ]
        return SizedPool(
            name=name,
            kind=pool.spec.kind,
            size=pool.size,
            origin=_origin(self.settings[name], pool.size),
            load=load,
            cost=_mean(costs),
            long_running=self._long_running(pool),
            is_on_hosts=self.settings[name].hosts is not None,
        )

    def _long_running(self, pool: PoolPort) -> int:
        before = self.clock.monotonic() - LONG_RUN
        calls = (call for worker in pool.snapshot().workers for call in worker.calls)
        return sum(call.started_at is not None and call.started_at <= before for call in calls)


def _origin(settings: PoolSettings, size: int) -> SizeOrigin:
    if size != settings.slots:
        return SizeOrigin("hand", settings.slots)
    return SizeOrigin("default" if settings.size is None else "setting", settings.slots)


def _mean(costs: Iterable[tuple[int, Numbers]]) -> FunctionCost | None:
    """Return what a run costs in the mean of functions of which so many tasks ran."""
    known = [(number, _cost(each)) for number, each in costs if each.wall > 0]
    total = sum(number for number, _ in known)
    if not total:
        return None
    means = (
        sum(number * getattr(cost, name) for number, cost in known) / total
        for name in FunctionCost.__struct_fields__
    )
    return FunctionCost(*means)


def _cost(numbers: Numbers) -> FunctionCost:
    """Return what a run of one function costs.

    Reading arguments and writing results is computing in the slot as well. What computes too
    briefly to be seen mostly holds the GIL. Each run makes one request that is answered, as far as
    anybody knows, beside those that were turned away.
    """
    around = numbers.handover
    held = numbers.cpu if numbers.gil is None else numbers.gil
    return FunctionCost(
        alone=numbers.alone + around,
        cpu=numbers.all_cpu + around,
        gil=held + around,
        wall=numbers.wall + around,
        beside=numbers.beside,
        throttled=numbers.throttled / (1 + numbers.throttled),
        threads=numbers.threads,
    )
