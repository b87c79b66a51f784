"""Which sizes an experiment tries next, which it measures again, and what it concludes."""

from collections.abc import Sequence
from typing import Final

from pooldeck.kinds import KINDS, PoolKind
from pooldeck_server.advice.scaling import ENOUGH, knee
from pooldeck_server.domain.measurements.experiments import (
    MAX_PROCESSES,
    MAX_THREADS,
    BestSize,
    MeasuredSize,
    Scaling,
    Sizes,
)

_THREADS: Final = (1, 2, 4, 8, 16, 32, 64)
_FEW_CPUS: Final = 4
"""Up to so many, each number of processes is tried; beyond, powers of two."""

_BEYOND: Final = 2
"""Sizes beyond the knee after which it is clear that more gain nothing."""

_CLOSE: Final = 1.15
"""Times the throughput below which one kind is not better than the other: threads are cheaper."""

_CERTAIN: Final = 2.0  # standard errors
_LEAST_NOISE: Final = 0.02  # of what a shared machine does to every measurement


def usual_sizes(cpus: int) -> Sizes:
    """Return the sizes to try where nobody named any.

    Threads: powers of two. Processes: up to as many as there are CPUs.
    """
    processes = _processes(cpus)
    return {name: processes if kind.is_alone else _THREADS for name, kind in KINDS.items()}


def _processes(cpus: int) -> tuple[int, ...]:
    most = min(cpus, MAX_PROCESSES)
    if most <= _FEW_CPUS:
        return tuple(range(1, most + 1))
    powers = (1 << power for power in range(most.bit_length()))
    return (*(size for size in powers if size < most), most)


def next_size(
    kind: PoolKind, planned: Sequence[int], tried: Sequence[MeasuredSize], *, is_adaptive: bool
) -> int | None:
    """Return which of the `planned` sizes (ascending) to try next, None where none can tell more.

    `is_adaptive` stops early where sizes have long gained nothing, and goes on beyond the planned
    threads while the largest is the best. Processes beyond the CPUs are tried only if they were
    asked for.
    """
    largest = max((step.size for step in tried), default=0)
    if is_adaptive and tried and _is_over(tried):
        return None
    following = next((size for size in planned if size > largest), None)
    if following is not None or not is_adaptive or KINDS[kind].is_alone:
        return following
    doubled = min(2 * largest, MAX_THREADS)
    return doubled if knee(tried).size == largest < doubled else None


def _is_over(tried: Sequence[MeasuredSize]) -> bool:
    """Tell whether two sizes beyond the knee have gained nothing."""
    least = knee(tried).size
    return sum(step.size > least for step in tried) >= _BEYOND


def doubtful(tried: Sequence[MeasuredSize]) -> tuple[int, ...]:
    """Return the sizes to measure again, since noise may have decided which of them is the knee.

    They are those up to the knee whose throughput is not clearly on one side of 95 % of the best,
    and the best itself, which they are compared with. Empty where the knee is clear.
    """
    best = max(tried, key=lambda step: step.throughput)
    least, enough = knee(tried).size, ENOUGH * best.throughput
    unclear = {
        step.size
        for step in tried
        if step.size <= least
        and step is not best
        and abs(step.throughput - enough) < _doubt(step) + _doubt(best)
    }
    return tuple(sorted({*unclear, best.size})) if unclear else ()


def _doubt(step: MeasuredSize) -> float:
    return _CERTAIN * max(step.noise, _LEAST_NOISE / _CERTAIN) * step.throughput


def choose(scalings: Sequence[Scaling]) -> BestSize | None:
    """Return the pool that is best for the function; None where nothing succeeded in any.

    A cheaper kind, such as threads, is preferred unless a dearer one is clearly better.
    """
    if not scalings:
        return None
    by_kind = {scaling.kind: scaling for scaling in scalings}
    best = max(scaling.knee_throughput for scaling in scalings)
    by_cost = (by_kind[kind] for kind in KINDS if kind in by_kind)
    chosen = next(each for each in by_cost if best / each.knee_throughput < _CLOSE)
    others = [each.knee_throughput for each in scalings if each.kind != chosen.kind]
    gain = chosen.knee_throughput / max(others) if others else None
    return BestSize(
        kind=chosen.kind,
        size=chosen.knee,
        throughput=chosen.knee_throughput,
        gain=gain,
        is_close=gain is not None and 1 / _CLOSE < gain < _CLOSE,
    )
