"""How large should a pool be? Between what its load needs and what the machine bears.

The load needs L = λW slots (Little's law); the machine bears as many threads as use up its CPUs,
CPUs * (1 + waiting / computing), or the one GIL that they share, and as many processes as CPUs. A
target that throttles bears what it did not send away.
"""

import math
from collections.abc import Iterable
from functools import partial
from typing import Final

from msgspec import Struct

from pooldeck.kinds import KINDS, PoolKind
from pooldeck_server.advice.model import HANDOVER
from pooldeck_server.advice.queueing import mean_wait, offered_load, rounded
from pooldeck_server.domain.pools.sizes import (
    Effect,
    FunctionCost,
    Machine,
    Range,
    SizeAdvice,
    SizedPool,
    SizeRule,
    SizeVerdict,
)

MOST_THREADS: Final = 200
"""Threads above which a pool is not recommended to grow, whatever they wait for."""

_FULL: Final = 0.85  # the utilization from which on a pool has no room for a burst
_AIM: Final = 0.7  # the utilization that a recommended size leads to
_PRESSED: Final = 0.25  # of a minute in which somebody waited for a CPU: no more that compute
_COMPUTES: Final = 0.05  # CPU time for each second of a run, from which on it does not just wait
_CPU_BOUND: Final = 0.5
_USED_UP: Final = 0.6  # of the CPUs or of the GIL, while the runs were under way
_SEVERAL: Final = 1.5  # threads that a task computes on at a time, in the mean
_CLEARLY: Final = 1.25  # of the CPUs
_THROTTLED: Final = 0.02  # of the time; less is what a limit that is well used looks like


class _Limits(Struct, frozen=True):
    """What bounds the size of a pool from above."""

    by_cpus: int
    by_gil: int | None
    by_target: int | None
    most: int


class _Judgement(Struct, frozen=True):
    verdict: SizeVerdict
    rule: SizeRule
    recommended: int | None = None


def size_advice(pool: SizedPool, machine: Machine, pools: Iterable[SizedPool]) -> SizeAdvice:
    """Return what to make of the size of a pool, which is one of `pools`."""
    computing = sum(computing_slots(each) for each in pools if not each.is_on_hosts)
    if pool.is_on_hosts:
        return SizeAdvice(pool, machine, "unknown", SizeRule.ON_HOSTS, computing)
    if pool.cost is None:
        judged = _over_cpus(pool, machine) or _Judgement("unknown", SizeRule.NOTHING_RAN)
        return SizeAdvice(
            pool, machine, judged.verdict, judged.rule, computing, recommended=judged.recommended
        )
    needed = max(offered_load(pool.load, pool.cost.alone), float(pool.long_running))
    limits = _limits(pool, pool.cost, machine.cpus)
    judged = (
        _smaller(pool, pool.cost, limits, machine)
        or _larger(pool, pool.cost, needed, limits, machine)
        or _Judgement("fits", SizeRule.LOAD_FITS)
    )
    effect = partial(_effect, pool.kind, pool.cost, needed, cpus=machine.cpus)
    return SizeAdvice(
        pool=pool,
        machine=machine,
        verdict=judged.verdict,
        rule=judged.rule,
        computing=computing,
        right=Range(min(limits.most, max(1, math.ceil(needed))), limits.most),
        recommended=judged.recommended,
        needed=needed,
        by_cpus=limits.by_cpus,
        by_gil=limits.by_gil,
        by_target=limits.by_target,
        threads_per_task=_threads_per_task(pool, pool.cost, machine.cpus),
        present=effect(pool.size),
        expected=effect(judged.recommended) if judged.recommended else None,
    )


def effect_at(advice: SizeAdvice, size: int) -> Effect | None:
    """Return what another size would mean for the load; None where nothing ran."""
    pool = advice.pool
    if pool.cost is None or advice.needed is None:
        return None
    return _effect(pool.kind, pool.cost, advice.needed, size, cpus=advice.machine.cpus)


def computing_slots(pool: SizedPool) -> int:
    """Return how many of a pool's slots can compute at the same time.

    Each process can. Threads count where their functions mostly compute, and no more of them than
    one GIL lets compute at once.
    """
    if KINDS[pool.kind].is_alone:
        return pool.size
    if pool.cost is None or pool.cost.cpu_share < _CPU_BOUND:
        return 0
    return min(pool.size, _times(pool.cost.gil, pool.cost.cpu))


# What bounds it.


def _limits(pool: SizedPool, cost: FunctionCost, cpus: int) -> _Limits:
    target = _by_target(pool, cost)
    if KINDS[pool.kind].is_alone:
        return _Limits(cpus, None, target, min(cpus, target or cpus))
    by_cpus = _times(cost.cpu / cpus, cost.alone)
    by_gil = _times(cost.gil, cost.alone) if cost.gil else None
    # Threads that do nothing but compute are harmless up to the CPUs, though one GIL feeds one.
    most = min(MOST_THREADS, max(cpus, min(by_cpus, by_gil or by_cpus)))
    return _Limits(by_cpus, by_gil, target, min(most, target or most))


def _times(used: float, whole: float) -> int:
    """Return how many use something up that each of them uses for a part of the whole time."""
    if used * MOST_THREADS <= whole:
        return MOST_THREADS
    return rounded(whole / used)


def _by_target(pool: SizedPool, cost: FunctionCost) -> int | None:
    """Return how many at once a throttling target bears, None where it does not throttle."""
    if cost.throttled < _THROTTLED:
        return None
    return min(pool.size, rounded(_at_once(pool, cost) * (1 - cost.throttled)))


def _at_once(pool: SizedPool, cost: FunctionCost) -> float:
    """Return how many ran at once when most did, in the mean of a window or as a run met them.

    Tasks that come in bursts meet many others though their pool is idle most of the time.
    """
    busiest = max((window.busy for window in pool.load.windows), default=0.0)
    return min(pool.size, max(busiest, 1 + cost.beside))


def _threads_per_task(pool: SizedPool, cost: FunctionCost, cpus: int) -> int | None:
    """Return on how many threads each task of a process pool should compute at most.

    None where those of all its processes together are not clearly more than the CPUs. How large the
    pool is, is judged apart from this.
    """
    if not KINDS[pool.kind].is_alone or cost.threads < _SEVERAL:
        return None
    size = min(pool.size, cpus)
    return max(1, cpus // size) if size * cost.threads > _CLEARLY * cpus else None


# What to make of it.


def _smaller(
    pool: SizedPool, cost: FunctionCost, limits: _Limits, machine: Machine
) -> _Judgement | None:
    """Return why a pool should be smaller, None if it need not."""
    if limits.by_target is not None and pool.size > limits.by_target:
        return _Judgement("smaller", SizeRule.THROTTLED, limits.by_target)
    if over := _over_cpus(pool, machine):
        return over
    if pool.size > limits.most and _is_crowded(pool, cost, limits, machine):
        return _Judgement("smaller", SizeRule.CROWDED, limits.most)
    return None


def _is_crowded(pool: SizedPool, cost: FunctionCost, limits: _Limits, machine: Machine) -> bool:
    """Tell whether more threads ran at once than are of use, and used up what limits them.

    How long a run waits is an estimate; that those which ran used up the CPUs or the GIL is not.
    """
    at_once = _at_once(pool, cost)
    if rounded(at_once) <= limits.most or not cost.wall:
        return False
    of_cpus = at_once * cost.cpu / cost.wall / machine.cpus
    of_gil = at_once * cost.gil / cost.wall
    return max(of_cpus, of_gil) >= _USED_UP


def _larger(
    pool: SizedPool, cost: FunctionCost, needed: float, limits: _Limits, machine: Machine
) -> _Judgement | None:
    """Return whether a pool should be larger, or why not; None if its load fits."""
    if needed <= _FULL * pool.size:
        return None
    wanted = min(limits.most, math.ceil(needed / _AIM))
    if wanted <= pool.size:
        return _Judgement("fits", SizeRule.MACHINE_FULL)
    if cost.cpu_share >= _COMPUTES and _is_pressed(machine):
        return _Judgement("fits", SizeRule.PRESSURE)
    return _Judgement("larger", SizeRule.LOAD_NEEDS_MORE, wanted)


def _over_cpus(pool: SizedPool, machine: Machine) -> _Judgement | None:
    if KINDS[pool.kind].gils(pool.size) <= machine.cpus:
        return None
    return _Judgement("smaller", SizeRule.OVER_CPUS, machine.cpus)


def _is_pressed(machine: Machine) -> bool:
    """Tell whether what is ready to run waits for a CPU as it is.

    The load average stands in where the kernel does not measure pressure.
    """
    if machine.pressure is not None:
        return machine.pressure.avg60 > _PRESSED
    return machine.load is not None and machine.load[0] > machine.cpus * (1 + _PRESSED)


# What is expected of it.


def _effect(kind: PoolKind, cost: FunctionCost, needed: float, size: int, *, cpus: int) -> Effect:
    capacity = _capacity(kind, cost, size, cpus)
    at_once = max(1, int(capacity * cost.alone + 0.001))  # those that do not wait for each other
    return Effect(
        size=size,
        capacity=capacity,
        utilization=min(1.0, needed / size),
        wait=mean_wait(needed, at_once, cost.alone),
    )


def _capacity(kind: PoolKind, cost: FunctionCost, size: int, cpus: int) -> float:
    """Return how many tasks a second a pool of a size gets through."""
    bounds = [1 / HANDOVER, size / cost.alone]
    if cost.cpu:
        bounds.append(cpus / cost.cpu)
    if cost.gil:
        bounds.append(KINDS[kind].gils(size) / cost.gil)
    return min(bounds)
