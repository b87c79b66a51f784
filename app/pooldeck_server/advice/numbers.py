"""From profiles to numbers: which evidence counts, and what one run costs by it."""

import math
from collections.abc import Mapping
from functools import reduce
from typing import Final

from pooldeck.kinds import KINDS, PoolKind
from pooldeck_server.advice.values import Numbers
from pooldeck_server.domain.measurements import contention
from pooldeck_server.domain.measurements.profiles import Profile
from pooldeck_server.domain.measurements.run_sums import Sums

_ENOUGH_RUNS: Final = 50  # to speak for itself, whatever other kinds of pools have seen
_ENOUGH_LOOKS: Final = 10  # at its threads at work, or of all where it hardly works


def numbers_of(profiles: Mapping[PoolKind, Profile]) -> Numbers:
    """Return what one run of a function costs, by its profiles in each kind of pool, if any."""
    profile = _evidence(profiles)
    total = profile.total
    decode, encode = contention.handover(profile.by_itself, profile.in_company)
    return Numbers(
        runs=total.runs,
        runs_ever=sum(one.runs_ever for one in profiles.values()),
        looks=total.looks,
        looks_at_work=contention.seen_at_work(total),
        observed_seconds=total.run,
        is_blurred=contention.is_blurred(profile.by_itself, profile.in_company),
        wall=profile.wall,
        cpu=profile.cpu,
        waiting=_waiting(profile),
        gil=profile.gil,
        child_cpu=profile.child_cpu,
        helper_cpu=profile.helper_cpu,
        decode=decode,
        encode=encode,
        arguments_bytes=total.per_run(total.arguments_bytes),
        result_bytes=total.per_run(total.result_bytes),
        voluntary_switches=total.per_run(total.voluntary),
        involuntary_switches=total.per_run(total.involuntary),
        memory_growth_bytes=total.growth_bytes / total.grown if total.grown else None,
        spread=_spread(total),
        trend=profile.fast / profile.slow if profile.slow else 1.0,
        beside=total.per_run(total.beside),
        throttled=total.per_run(total.throttled),
        throttled_seconds=total.per_run(total.throttled_seconds),
        page_faults=total.per_run(total.page_faults),
        at_a_time=contention.at_a_time(profile.in_company),
        getting_on=contention.getting_on(profile.by_itself, profile.in_company),
        threads=contention.threads_at_once(total),
        unclaimed_cpu=contention.in_a_run(total, total.seen_unclaimed_cpu),
        is_crowded=contention.is_crowded(profile.by_itself, profile.in_company),
        is_disturbed=contention.is_disturbed(profile.by_itself, profile.in_company),
    )


def _evidence(profiles: Mapping[PoolKind, Profile]) -> Profile:
    """Return the profile to go by: the latest if it says enough, else all of them together.

    A function that was changed and moved meanwhile is what the latest says, not a mean.
    """
    latest, *others = sorted(
        profiles.values(), key=lambda profile: profile.last_at, reverse=True
    ) or [Profile("", next(iter(KINDS)))]
    return latest if _says_enough(latest.total) else reduce(_together, others, latest)


def _together(latest: Profile, other: Profile) -> Profile:
    return Profile(
        function=latest.function,
        kind=latest.kind,
        runs_ever=latest.runs_ever + other.runs_ever,
        fast=latest.fast or other.fast,
        slow=latest.slow or other.slow,
        by_itself=latest.by_itself.plus(other.by_itself),
        in_company=latest.in_company.plus(other.in_company),
    )


def _says_enough(total: Sums) -> bool:
    return total.runs >= _ENOUGH_RUNS and total.looks >= _ENOUGH_LOOKS


def _waiting(profile: Profile) -> float:
    """Return how long a run waits, without what its children and helpers waited for a CPU.

    They keep it waiting for the longer, the more others there are on the CPUs.
    """
    total = profile.total
    delayed = total.per_run(total.child_delayed) + profile.helper_delayed
    at_least = min(profile.waiting, profile.child_cpu + profile.helper_cpu)
    return max(at_least, profile.waiting - delayed)


def _spread(total: Sums) -> float:
    """Return the standard deviation of the wall time as a share of its mean."""
    mean = total.per_run(total.run)
    variance = total.per_run(total.squares) - mean * mean
    return math.sqrt(max(0.0, variance)) / mean if mean else 0.0
