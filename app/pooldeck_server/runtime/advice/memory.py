"""The memory of the pools as of now: what the sampler saw, what there is, who made workers grow."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import psutil

from pooldeck.pools.out_of_memory import MemoryWatch
from pooldeck_server.advice.values import LEAST_GROWTH
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.domain.pools.memory import MemoryGrowth, PoolMemory
from pooldeck_server.domain.pools.sizes import SizeAdvice
from pooldeck_server.runtime.tasks.profiles import Profiles
from pooldeck_server.settings import PoolSettings

_NAMED: Final = 5  # functions that made workers grow


@dataclass(kw_only=True, eq=False)
class Memories:
    """Says what the pools hold and would need."""

    pools: Callable[[], Sequence[PoolHealth]]
    settings: Mapping[str, PoolSettings]
    profiles: Profiles

    def all(self, advice: Iterable[SizeAdvice]) -> dict[str, PoolMemory]:
        """Return the memory of each pool; the advice on their sizes says what ran lately."""
        pools = {pool.name: pool for pool in self.pools()}
        held = {name: _held(pool) for name, pool in pools.items()}
        own = _own()
        available = MemoryWatch().limit_bytes()
        return {
            each.pool.name: PoolMemory(
                kind=each.pool.kind,
                size=each.pool.size,
                workers=len(pools[each.pool.name].workers),
                held=held[each.pool.name],
                most=_most(pools[each.pool.name]),
                worker_limit=self.settings[each.pool.name].max_memory_bytes,
                available=available,
                others=own + sum(held.values()) - held[each.pool.name],
                growth=self._growth(each),
            )
            for each in advice
            if each.pool.name in pools
        }

    def _growth(self, advice: SizeAdvice) -> tuple[MemoryGrowth, ...]:
        """Return who made the workers grow: what is measured only where a worker runs one call."""
        found = []
        for function, runs in advice.pool.load.ran.items():
            profile = self.profiles.of(function).get(advice.pool.kind)
            if profile is None or not profile.total.grown:
                continue
            per_run = profile.total.growth_bytes / profile.total.grown
            if per_run >= LEAST_GROWTH:
                found.append(MemoryGrowth(function, per_run, runs))
        return tuple(sorted(found, key=lambda each: -each.lately)[:_NAMED])


def _held(pool: PoolHealth) -> int:
    return sum(worker.rss_bytes or 0 for worker in pool.workers)


def _most(pool: PoolHealth) -> int:
    """Return the most that a worker held, of those that were replaced for it lately, too."""
    peaks = (worker.peak_rss_bytes or 0 for worker in pool.workers)
    return max(pool.outgrown_bytes, *peaks, 0)


def _own() -> int:
    """Return what the server itself holds, in bytes."""
    return int(psutil.Process(os.getpid()).memory_info().rss)
