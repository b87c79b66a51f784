"""How throughput goes with the size of a pool: the law behind it, and where more stops helping.

The Universal Scalability Law is linear in three parameters when it is written as

    N / X(N) = a + b(N - 1) + cN(N - 1),    a = 1 / rate,  b = contention / rate,
                                            c = coherency / rate

(N. J. Gunther, "Guerrilla Capacity Planning", 2007, chapter 5, in N rather than N - 1), so that
least squares with no negative parameter fit it, without a first guess and without iteration.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Final

from msgspec.structs import replace

from pooldeck.kinds import KINDS, PoolKind
from pooldeck_server.domain.measurements.experiments import Law, MeasuredSize, Scaling

ENOUGH: Final = 0.95
"""The share of the best throughput from which on more slots are not worth having."""

_COMPUTES: Final = 0.8  # CPU seconds a second for each process
_LEAST_POINTS: Final = 3
_NO_NOISE: Final = 0.01  # the least relative error that a measurement is believed to have
_NOTHING: Final = 1e-6  # of the best throughput: as good as none
_TINY: Final = 1e-12


def scaling(kind: PoolKind, steps: Sequence[MeasuredSize], cpus: int) -> Scaling | None:
    """Return how throughput goes with the size in `steps`; None where nothing succeeded at any.

    Of processes that compute, no more than there are CPUs are worth having: where more got through
    more, that was luck, or took from what else the machine had to do.
    """
    steps = sorted(steps, key=lambda step: step.size)
    if not any(step.throughput > 0 for step in steps):
        return None
    worth = _worth_having(kind, steps, cpus)
    least, best = knee(worth), max(worth, key=lambda step: step.throughput)
    law = fit(steps)
    return Scaling(
        kind=kind,
        knee=least.size,
        knee_throughput=least.throughput,
        best=best.size,
        best_throughput=best.throughput,
        law=law,
        law_knee=None if law is None else _law_knee(law, steps[-1].size),
    )


def _worth_having(
    kind: PoolKind, steps: Sequence[MeasuredSize], cpus: int
) -> Sequence[MeasuredSize]:
    within = [step for step in steps if step.size <= cpus and step.throughput > 0]
    compute = any(step.cpu >= _COMPUTES * _fair_share(step, cpus) for step in within)
    return within if KINDS[kind].is_alone and compute else steps


def _fair_share(step: MeasuredSize, cpus: int) -> float:
    """Return how much CPU the processes of a step could get beside what else wanted some."""
    return step.size * min(1.0, cpus / (step.size + step.others))


def knee(steps: Iterable[MeasuredSize]) -> MeasuredSize:
    """Return the smallest size whose throughput is within 5 % of the best."""
    steps = sorted(steps, key=lambda step: step.size)
    enough = ENOUGH * max(step.throughput for step in steps)
    return next(step for step in steps if step.throughput >= enough)


def fit(steps: Sequence[MeasuredSize]) -> Law | None:
    """Fit the Universal Scalability Law; return None to fewer than three sizes that did something.

    Each size weighs by how surely it was measured. The law's parameters are never negative.
    """
    most = max((step.throughput for step in steps), default=0.0)
    points = [step for step in steps if step.throughput > _NOTHING * most]
    if len({step.size for step in points}) < _LEAST_POINTS:
        return None
    rows = [_row(step, most) for step in points]
    a, b, c = min(_candidates(rows), key=lambda found: _residual(rows, found))
    law = Law(rate=most / a, contention=b / a, coherency=c / a)
    return replace(law, r_squared=_r_squared(law, points))


_Row = tuple[tuple[float, float, float], float]
"""What the three parameters are multiplied by, and what that should give."""


def _row(step: MeasuredSize, unit: float) -> _Row:
    """Return a step's equation, divided by the error that its N / X has.

    Throughputs are taken in a unit of their own size, so that rounding does not depend on it.
    """
    size, per_slot = step.size, unit * step.size / step.throughput
    weight = 1 / (per_slot * max(step.noise, _NO_NOISE))
    return (weight, weight * (size - 1), weight * size * (size - 1)), weight * per_slot


def _candidates(rows: Sequence[_Row]) -> Iterable[tuple[float, float, float]]:
    """Yield the least squares in which some parameters are 0 and none is negative.

    The best fit without negative parameters is among them. There is one at least: with `a` alone,
    which is then a weighted mean of positive numbers.
    """
    for number in range(3):
        for further in combinations((1, 2), number):
            free = (0, *further)
            found = _least_squares(rows, free)
            if found is not None and found[0] > 0 and min(found) >= 0:
                yield found


def _least_squares(
    rows: Sequence[_Row], free: tuple[int, ...]
) -> tuple[float, float, float] | None:
    """Return the parameters of the normal equations in the `free` ones, the others being 0."""
    matrix = [[sum(x[i] * x[j] for x, _ in rows) for j in free] for i in free]
    vector = [sum(x[i] * y for x, y in rows) for i in free]
    solved = _solve(matrix, vector)
    if solved is None:
        return None
    found = dict(zip(free, solved, strict=True))
    return found[0], found.get(1, 0.0), found.get(2, 0.0)


def _solve(matrix: list[list[float]], vector: list[float]) -> list[float] | None:
    """Solve a few linear equations by elimination; None where they do not determine all."""
    rows = [[*row, value] for row, value in zip(matrix, vector, strict=True)]
    for column in range(len(rows)):
        pivot = max(range(column, len(rows)), key=lambda row: abs(rows[row][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        if abs(rows[column][column]) < _TINY:
            return None
        rows[column] = [value / rows[column][column] for value in rows[column]]
        for other in range(len(rows)):
            if other != column:
                factor = rows[other][column]
                pairs = zip(rows[other], rows[column], strict=True)
                rows[other] = [value - factor * by for value, by in pairs]
    return [row[-1] for row in rows]


def _residual(rows: Sequence[_Row], found: tuple[float, float, float]) -> float:
    def miss(row: _Row) -> float:
        factors, wanted = row
        return sum(f * x for f, x in zip(found, factors, strict=True)) - wanted

    return sum(miss(row) ** 2 for row in rows)


def _r_squared(law: Law, points: Sequence[MeasuredSize]) -> float:
    mean = sum(step.throughput for step in points) / len(points)
    total = sum((step.throughput - mean) ** 2 for step in points)
    missed = sum((step.throughput - law.at(step.size)) ** 2 for step in points)
    return max(0.0, 1 - missed / total) if total > 0 else 1.0


def _law_knee(law: Law, largest: int) -> int:
    """Return the smallest size within 5 % of the law's best from 1 to `largest`."""
    curve = [law.at(size) for size in range(1, largest + 1)]
    enough = ENOUGH * max(curve)
    return next(size for size, value in enumerate(curve, start=1) if value >= enough)
