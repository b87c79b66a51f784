"""From numbers to advice: which kind of pool a function belongs in, and what a move would gain."""

from collections.abc import Mapping, Sequence
from typing import Final

from pooldeck.kinds import KINDS, PoolKind, cheapest
from pooldeck_server.advice.model import rate
from pooldeck_server.advice.numbers import numbers_of
from pooldeck_server.advice.values import (
    Advice,
    AdviceRule,
    Numbers,
    PoolShape,
    Recommendation,
    RunCostNumbers,
    Verdict,
)
from pooldeck_server.advice.verdicts import Finding, confidence, finding
from pooldeck_server.domain.measurements.profiles import Profile

CLEAR_GAIN: Final = 1.15
"""How many times as fast a move has to be to be worth it: less is within the noise."""

_CALLS: Final = 100
_LARGE_GAIN: Final = 1.5  # for which processes are recommended to what threads serve well
_PLENTY: Final = 1.25  # threads that get on for each CPU: fewer leave CPUs idle now and then
_NEVER_MOVED: Final = frozenset({Verdict.UNKNOWN, Verdict.TOO_CHEAP})


def advise(
    function: str,
    pool: str,
    profiles: Mapping[PoolKind, Profile],
    pools: Sequence[PoolShape],
    cpus: int,
) -> Advice:
    """Return where a function in `pool`, one of `pools`, should run, by what was measured."""
    numbers = numbers_of(profiles)
    present = next(shape for shape in pools if shape.name == pool)
    found = _weighed(finding(numbers), numbers, pools, cpus)
    target = _target(found, numbers, present, pools, cpus)
    cost = None if target is None else _cost(numbers, present, target, cpus)
    lost_limit = 0 if target is None else _lost_limit(present, target)
    is_bounded = lost_limit > 0 and numbers.grows
    return Advice(
        function=function,
        pool=pool,
        kind=present.kind,
        verdict=found.verdict,
        rule=found.rule,
        recommended=_recommendation(target),
        is_misplaced=not is_bounded and _is_misplaced(found, present, target, cost),
        confidence=confidence(numbers, found),
        numbers=numbers,
        cost=cost,
        lost_limit=lost_limit,
    )


def _lost_limit(present: PoolShape, target: PoolShape) -> int:
    """Return the bytes that bound a worker here, where all calls there share one process.

    A limit there bounds all of them together, and takes all of them along.
    """
    if KINDS[present.kind].is_alone and not KINDS[target.kind].is_alone:
        return present.worker_limit
    return 0


def _weighed(found: Finding, numbers: Numbers, pools: Sequence[PoolShape], cpus: int) -> Finding:
    """Return the finding with the rule that says whether the model prefers one GIL or many.

    With one GIL a pool has as many slots as the largest such has, or would have by default, and
    with one for each call as many as there are CPUs: more are no use to anybody.
    """
    one, many = cheapest(is_alone=False), cheapest(is_alone=True)
    largest = max((shape.size for shape in pools if not KINDS[shape.kind].is_alone), default=0)
    size = max(largest, KINDS[one].default_size(cpus))
    gain = rate(numbers, many, cpus, cpus) / rate(numbers, one, size, cpus)
    too_few = numbers.threads_that_get_on < _PLENTY * cpus
    if found.rule is AdviceRule.GIL_RELEASED and too_few:
        return Finding(found.verdict, AdviceRule.MEMORY_LIMITS)
    if found.verdict is Verdict.MIXED and gain >= CLEAR_GAIN:
        return Finding(found.verdict, AdviceRule.PROCESSES_FASTER)
    if found.verdict in {Verdict.IO_BOUND, Verdict.RELEASES_GIL} and gain >= _LARGE_GAIN:
        return Finding(found.verdict, AdviceRule.GIL_LIMITS)
    return found


_TO_MANY_GILS: Final = frozenset(
    {
        AdviceRule.GIL_HELD,
        AdviceRule.GIL_ASSUMED,
        AdviceRule.GIL_LIMITS,
        AdviceRule.MEMORY_LIMITS,
        AdviceRule.PROCESSES_FASTER,
    }
)
"""The rules that recommend a process for each call.

A shared one is cheaper, so that this needs a reason: a held GIL is one even where the machine has
one CPU, since it slows down everything else in its process.
"""


_DISTURBING: Final = frozenset(
    {AdviceRule.GIL_HELD, AdviceRule.GIL_ASSUMED, AdviceRule.MEMORY_LIMITS}
)
"""The rules of what makes others in its process wait, so that a move is worth it in any case."""


def _target(
    found: Finding, numbers: Numbers, present: PoolShape, pools: Sequence[PoolShape], cpus: int
) -> PoolShape | None:
    """Return the recommended pool, a nameless one where there is none of its kind."""
    if found.verdict is Verdict.UNKNOWN:
        return None
    is_alone = found.rule in _TO_MANY_GILS
    if KINDS[present.kind].is_alone == is_alone:
        return present
    kind = cheapest(is_alone=is_alone)
    return max(
        (shape for shape in pools if KINDS[shape.kind].is_alone == is_alone),
        key=lambda shape: rate(numbers, shape.kind, shape.size, cpus),
        default=PoolShape("", kind, KINDS[kind].default_size(cpus)),
    )


def _recommendation(target: PoolShape | None) -> Recommendation | None:
    return None if target is None else Recommendation(target.kind, target.name or None)


def _cost(numbers: Numbers, present: PoolShape, target: PoolShape, cpus: int) -> RunCostNumbers:
    here, there = (
        _CALLS / rate(numbers, shape.kind, shape.size, cpus) for shape in (present, target)
    )
    return RunCostNumbers(_CALLS, here, there)


def _is_misplaced(
    found: Finding, present: PoolShape, target: PoolShape | None, cost: RunCostNumbers | None
) -> bool:
    if found.verdict in _NEVER_MOVED or target is None or cost is None or target is present:
        return False
    return found.rule in _DISTURBING or cost.gain >= CLEAR_GAIN
