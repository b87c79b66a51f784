"""What kind of function it is: the first rule that fits its numbers."""

import math
from typing import Final, NamedTuple

from pooldeck_server.advice.model import HANDOVER
from pooldeck_server.advice.values import AdviceRule, Confidence, Numbers, Verdict

ENOUGH_RUNS: Final = 3
ENOUGH_SECONDS: Final = 0.5  # that runs took together: then even one of them says something

_COMPUTES: Final = 0.8  # of the time
_HELPERS_COMPUTE: Final = 0.5  # what children and helpers wait for cannot be told from computing
WAITS: Final = 0.2
_HELD: Final = 0.5  # of the CPU time


class _Measure(NamedTuple):
    """How much has to be known: so many runs, or fewer with so many looks at them."""

    runs: int
    fewer_runs: int
    looks: int
    looks_at_work: int  # where the verdict rests on who needs the GIL


_MEDIUM: Final = _Measure(runs=20, fewer_runs=5, looks=20, looks_at_work=10)
_HIGH: Final = _Measure(runs=100, fewer_runs=20, looks=100, looks_at_work=50)
_ABOUT_GIL: Final = frozenset(
    {
        AdviceRule.GIL_HELD,
        AdviceRule.GIL_RELEASED,
        AdviceRule.MEMORY_LIMITS,
        AdviceRule.THREADS_ENOUGH,
        AdviceRule.PROCESSES_FASTER,
    }
)


_ABOUT_HALF: Final = frozenset({AdviceRule.GIL_HELD, AdviceRule.GIL_RELEASED})
_ABOUT_WAITING: Final = frozenset(
    {AdviceRule.WAITS, AdviceRule.THREADS_ENOUGH, AdviceRule.PROCESSES_FASTER}
)
_ERRORS: Final = 2.0  # standard errors


class Finding(NamedTuple):
    """A verdict with the rule that led to it."""

    verdict: Verdict
    rule: AdviceRule


def finding(numbers: Numbers) -> Finding:
    """Return what kind of function it is that costs so much.

    Whether the model prefers processes for what waits and computes, is not known here yet: the
    rule of those is that threads are enough.
    """
    if (lacking := _lacking(numbers)) is not None:
        return Finding(Verdict.UNKNOWN, lacking)
    if numbers.alone < numbers.handover + HANDOVER:
        return Finding(Verdict.TOO_CHEAP, AdviceRule.HANDOVER)
    if numbers.cpu_share >= _enough(numbers):
        return _computing(numbers)
    if numbers.cpu_share <= WAITS:
        return Finding(Verdict.IO_BOUND, AdviceRule.WAITS)
    return Finding(Verdict.MIXED, AdviceRule.THREADS_ENOUGH)


def _lacking(numbers: Numbers) -> AdviceRule | None:
    """Return why nothing can be said yet; None if something can."""
    if not numbers.runs:
        return AdviceRule.NEVER_RAN
    if numbers.runs < ENOUGH_RUNS and numbers.observed_seconds < ENOUGH_SECONDS:
        return AdviceRule.FEW_RUNS
    return AdviceRule.BLURRED if numbers.is_blurred else None


def _enough(numbers: Numbers) -> float:
    """Return which share of its time it has to compute, by who of all does that."""
    if not numbers.all_cpu:
        return _COMPUTES
    return (_COMPUTES * numbers.cpu + _HELPERS_COMPUTE * numbers.helped_cpu) / numbers.all_cpu


def _computing(numbers: Numbers) -> Finding:
    if numbers.helped_cpu > numbers.cpu:
        return Finding(Verdict.RELEASES_GIL, AdviceRule.CHILDREN)
    if numbers.gil_share is None:
        return Finding(Verdict.HOLDS_GIL, AdviceRule.GIL_ASSUMED)
    if numbers.gil_share >= _HELD:
        return Finding(Verdict.HOLDS_GIL, AdviceRule.GIL_HELD)
    return Finding(Verdict.RELEASES_GIL, AdviceRule.GIL_RELEASED)


def confidence(numbers: Numbers, found: Finding) -> Confidence:
    if found.verdict is Verdict.UNKNOWN:
        return "none"
    is_about_gil = found.rule in _ABOUT_GIL
    if _is_open(numbers, found) or not _has(numbers, _MEDIUM, is_about_gil=is_about_gil):
        return "low"
    if is_about_gil and (numbers.is_disturbed or numbers.asks_for_memory):
        return "medium"
    return "high" if _has(numbers, _HIGH, is_about_gil=is_about_gil) else "medium"


def _is_open(numbers: Numbers, found: Finding) -> bool:
    """Tell whether something decides that was not seen, however much else was.

    That is the GIL, where looks leave it open, or where company and a crowd at the CPUs have spoilt
    them; whether it waits for threads that compute for it; and whether threads would wait
    for memory. Company of their kind may show that they do, but not that they do not: those that
    had to share a CPU anyway seem to get on, and are slower all the same.
    """
    if found.rule in _ABOUT_WAITING and numbers.unclaimed_cpu > WAITS * numbers.alone:
        return True
    if found.rule in _ABOUT_HALF and (_is_close(numbers) or numbers.is_crowded):
        return True
    if found.rule is AdviceRule.GIL_RELEASED:
        return numbers.asks_for_memory
    return found.rule is AdviceRule.GIL_ASSUMED


def _is_close(numbers: Numbers) -> bool:
    """Tell whether so many looks may have found the GIL held half of the time by chance."""
    if numbers.gil_share is None or not numbers.looks_at_work:
        return False
    share = min(1.0, numbers.gil_share)
    error = math.sqrt(share * (1.0 - share) / numbers.looks_at_work)
    return abs(share - _HELD) < _ERRORS * error


def _has(numbers: Numbers, measure: _Measure, *, is_about_gil: bool) -> bool:
    if is_about_gil and numbers.looks_at_work < measure.looks_at_work:
        return False
    is_seen_often = numbers.runs >= measure.fewer_runs and numbers.looks >= measure.looks
    return numbers.runs >= measure.runs or is_seen_often
