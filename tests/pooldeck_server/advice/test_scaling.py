"""The Universal Scalability Law is found again in what it predicts; the knee is where it says."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pooldeck.kinds import PoolKind
from pooldeck_server.advice.scaling import ENOUGH, fit, knee, scaling
from pooldeck_server.domain.measurements.experiments import Law, MeasuredSize, Scaling

CPUS = 2
SIZES = (1, 2, 4, 8, 16, 32, 64)

laws = st.builds(
    Law,
    rate=st.floats(0.01, 10_000),
    contention=st.floats(0, 1),
    coherency=st.floats(0, 0.5),
)
throughputs = st.dictionaries(
    st.integers(1, 200), st.floats(0, 1e6, allow_subnormal=False), min_size=1, max_size=12
)


def step(size: int, throughput: float, noise: float = 0.01) -> MeasuredSize:
    return MeasuredSize(
        kind=PoolKind.THREAD,
        size=size,
        calls=100,
        throughput=throughput,
        noise=noise,
        p50=0.1,
        p95=0.2,
        cpu=0.5,
        rss_bytes=1,
        switches=1.0,
        errors=0,
        seconds=2.0,
    )


def steps_of(measured: dict[int, float]) -> list[MeasuredSize]:
    return [step(size, throughput) for size, throughput in measured.items()]


@given(laws)
def test_a_law_is_found_again_in_what_it_predicts(law: Law) -> None:
    found = fit([step(size, law.at(size)) for size in SIZES])

    assert found is not None
    for size in range(1, 65):
        assert found.at(size) == pytest.approx(law.at(size), rel=1e-3)


@given(laws, st.integers(-20, 20).map(lambda power: 2.0**power))  # which rounds nothing
def test_the_knee_does_not_depend_on_the_unit(law: Law, unit: float) -> None:
    plain = scaling(PoolKind.THREAD, [step(size, law.at(size)) for size in SIZES], CPUS)
    scaled = scaling(PoolKind.THREAD, [step(size, unit * law.at(size)) for size in SIZES], CPUS)

    assert plain is not None
    assert scaled is not None
    assert (scaled.knee, scaled.best) == (plain.knee, plain.best)


@given(throughputs)
def test_the_knee_is_the_smallest_size_within_5_percent_of_the_best(
    measured: dict[int, float],
) -> None:
    found = knee(steps_of(measured))

    best = max(measured.values())
    assert found.throughput >= ENOUGH * best
    assert all(measured[size] < ENOUGH * best for size in measured if size < found.size)


@given(throughputs)
def test_a_fitted_law_has_no_negative_parameter(measured: dict[int, float]) -> None:
    law = fit(steps_of(measured))

    if law is not None:
        assert law.rate > 0
        assert min(law.contention, law.coherency, law.r_squared) >= 0
        assert all(math.isfinite(law.at(size)) for size in measured)


def test_a_size_that_is_surely_known_weighs_more_than_a_noisy_one() -> None:
    law = Law(rate=10, contention=0.1, coherency=0.001)
    steps = [step(size, law.at(size)) for size in SIZES]
    steps[3] = step(8, 3 * law.at(8), noise=1.0)

    found = fit(steps)

    assert found is not None
    assert found.at(64) == pytest.approx(law.at(64), rel=0.02)


def test_a_law_is_not_read_out_of_two_sizes() -> None:
    assert fit([step(1, 10), step(2, 20), step(4, 0)]) is None


def test_throughput_falls_beyond_the_peak_of_a_law() -> None:
    law = Law(rate=10, contention=0.05, coherency=0.005)
    peak = round(law.peak)

    assert law.at(peak) > law.at(peak + 5)
    assert law.at(peak) > law.at(peak - 5)
    assert Law(rate=10, contention=0.05, coherency=0).peak == math.inf


def test_nothing_is_said_of_sizes_at_which_nothing_succeeded() -> None:
    assert scaling(PoolKind.THREAD, [step(1, 0), step(2, 0)], CPUS) is None


def test_measured_and_fitted_knee_stand_side_by_side() -> None:
    served_8_at_a_time = {1: 10.0, 2: 20.0, 4: 40.0, 8: 80.0, 16: 80.0, 32: 80.0}

    found = scaling(PoolKind.THREAD, steps_of(served_8_at_a_time), CPUS)

    assert found is not None
    assert (found.knee, found.best_throughput) == (8, 80)
    assert found.law is not None
    assert found.law_knee is not None
    assert 1 <= found.law_knee <= 32


def test_more_processes_than_cpus_are_not_worth_having_for_what_computes() -> None:
    def found(cpu: float) -> Scaling | None:
        steps = [replace(step(n, 10.0 * n), kind=PoolKind.PROCESS, cpu=cpu * n) for n in (1, 2, 4)]
        return scaling(PoolKind.PROCESS, steps, CPUS)

    computes, waits = found(0.95), found(0.1)
    assert computes is not None
    assert waits is not None
    assert (computes.knee, computes.best) == (2, 2)  # that 4 got through more was luck
    assert (waits.knee, waits.best) == (4, 4)


def test_what_computes_is_known_for_it_on_a_busy_machine_too() -> None:
    """Two other programs want a CPU each: nobody gets more than his share."""
    shares = {1: 0.66, 2: 1.0, 3: 1.2}
    steps = [
        replace(step(n, 10.0 * cpu), kind=PoolKind.PROCESS, cpu=cpu, others=2.0)
        for n, cpu in shares.items()
    ]
    found = scaling(PoolKind.PROCESS, steps, CPUS)
    assert found is not None
    assert found.knee == 2


def test_threads_beyond_the_cpus_may_be_worth_having() -> None:
    steps = [replace(step(n, 10.0 * n), cpu=0.95 * n) for n in (1, 2, 4)]
    found = scaling(PoolKind.THREAD, steps, CPUS)
    assert found is not None
    assert found.knee == 4
