"""The model: how many runs a second a pool gets through."""

from hypothesis import given
from hypothesis import strategies as st

from pooldeck.kinds import PoolKind
from pooldeck_server.advice import Numbers
from pooldeck_server.advice.model import HANDOVER, rate
from pooldeck_server.advice.numbers import numbers_of
from tests.support.measured import Nature, profile

seconds = st.floats(0.001, 1.0)
natures = st.builds(Nature, gil=seconds, free=seconds, waiting=seconds)
sizes = st.integers(1, 200)
cpus = st.integers(1, 64)


def numbers(nature: Nature) -> Numbers:
    return numbers_of({PoolKind.THREAD: profile(nature)})


@given(nature=natures, size=sizes, cpus=cpus)
def test_more_slots_or_cpus_never_make_a_pool_slower(nature: Nature, size: int, cpus: int) -> None:
    run = numbers(nature)
    for kind in PoolKind:
        assert rate(run, kind, size + 1, cpus) >= rate(run, kind, size, cpus)
        assert rate(run, kind, size, cpus + 1) >= rate(run, kind, size, cpus)


@given(nature=natures, size=sizes, cpus=cpus)
def test_as_many_processes_are_never_slower_than_threads(
    nature: Nature, size: int, cpus: int
) -> None:
    run = numbers(nature)
    assert rate(run, PoolKind.PROCESS, size, cpus) >= rate(run, PoolKind.THREAD, size, cpus)


@given(nature=natures, size=sizes, cpus=cpus)
def test_no_pool_does_more_than_its_slots_and_the_machine_allow(
    nature: Nature, size: int, cpus: int
) -> None:
    run = numbers(nature)
    for kind in PoolKind:
        best = rate(run, kind, size, cpus)
        assert best * run.alone <= size * 1.001
        assert best * run.all_cpu <= cpus * 1.001


def test_threads_that_hold_the_gil_are_as_fast_as_one() -> None:
    run = numbers(Nature(gil=0.1))
    assert rate(run, PoolKind.THREAD, 32, 8) == rate(run, PoolKind.THREAD, 1, 8)


def test_even_what_takes_no_time_takes_its_handover() -> None:
    assert rate(numbers(Nature()), PoolKind.THREAD, 32, 8) == 1 / HANDOVER
