"""Whatever was measured, there is an advice, and its numbers are numbers."""

import math
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict

from pooldeck.kinds import PoolKind
from pooldeck.outcome import Measurement, Observation
from pooldeck_server.advice import Verdict, advise
from pooldeck_server.domain.measurements.profiles import Profile
from tests.support.measured import CPUS, NOW, POOLS

lengths = st.sampled_from([0.0, 1e-6, 0.001, 1.0, 600.0]) | st.floats(0.0, 600.0)
shares = st.sampled_from([0.0, 1e-5, 0.5, 1.0]) | st.floats(0.0, 1.0)
counts = st.sampled_from([None, 0, 1, 50, 20_000])


@st.composite
def measurements(draw: st.DrawFn) -> Measurement:
    run = draw(lengths)
    return Measurement(
        run=run,
        cpu=run * draw(shares),
        child_cpu=run * draw(shares),
        helper_cpu=run * draw(shares),
        delayed=draw(st.none() | shares.map(lambda share: run * share)),
        voluntary_switches=draw(counts),
        involuntary_switches=draw(counts),
        beside=draw(st.integers(0, 31)),
        page_faults=draw(st.sampled_from([0, 1, 1_000_000])),
        overlap=run * draw(shares),
    )


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    seconds = draw(lengths)
    held, free = sorted([draw(shares), draw(shares)])
    return Observation(
        function="jobs.f",
        looks=draw(st.integers(0, 100)),
        held=seconds * held,
        free=seconds * (free - held),
        waiting=seconds * (1.0 - free),
        delayed=seconds * draw(shares),
        beside=draw(st.floats(0.0, 31.0)),
        helper_cpu=seconds * draw(shares),
        helper_delayed=seconds * draw(shares),
    )


stretches = st.tuples(st.lists(measurements(), max_size=4), st.lists(observations(), max_size=4))


@given(st.dictionaries(st.sampled_from(["thread", "process"]), st.lists(stretches, max_size=4)))
def test_any_measurements_lead_to_an_advice(
    seen: dict[PoolKind, list[tuple[Sequence[Measurement], Sequence[Observation]]]],
) -> None:
    profiles = {kind: _profile(kind, parts) for kind, parts in seen.items()}
    for pool in POOLS:
        advice = advise("jobs.f", pool.name, profiles, POOLS, CPUS)
        for name, number in asdict(advice.numbers).items():
            assert number is None or math.isfinite(number), name
        if advice.cost is not None:
            assert 0.0 < advice.cost.gain < math.inf


@given(st.lists(observations(), min_size=1, max_size=8))
def test_calls_that_were_seen_and_never_ended_are_no_ground_for_a_verdict(
    seen: list[Observation],
) -> None:
    profiles: dict[PoolKind, Profile] = {PoolKind.THREAD: _profile(PoolKind.THREAD, [((), seen)])}
    assert advise("jobs.f", "io", profiles, POOLS, CPUS).verdict is Verdict.UNKNOWN


def test_what_only_waits_and_is_rounded_up_is_still_all_it_does() -> None:
    waited = Measurement(run=0.1, cpu=0.0, voluntary_switches=1, beside=7)
    looked = Observation("jobs.f", 1, held=0, free=0, waiting=0.1, delayed=0, beside=7)
    profile = Profile("jobs.f", PoolKind.THREAD)
    for _ in range(200):
        profile = profile.after([waited] * 3, [looked], runs=3, now=NOW)
        assert profile.waiting <= profile.wall


def _profile(
    kind: PoolKind, parts: Sequence[tuple[Sequence[Measurement], Sequence[Observation]]]
) -> Profile:
    profile = Profile("jobs.f", kind)
    for measured, seen in parts:
        profile = profile.after(measured, seen, runs=len(measured), now=profile.last_at + 1)
    return profile
