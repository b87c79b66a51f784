"""Which sizes an experiment tries, measures again and recommends."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pooldeck.kinds import PoolKind
from pooldeck_server.advice.scaling import knee, scaling
from pooldeck_server.advice.sweeping import choose, doubtful, next_size, usual_sizes
from pooldeck_server.domain.measurements.experiments import MAX_THREADS, MeasuredSize
from tests.pooldeck_server.advice.test_scaling import step, steps_of

CPUS = 2
LADDER = (1, 2, 4, 8, 16, 32, 64)


def climbed(
    curve: Callable[[int], float], kind: PoolKind = PoolKind.THREAD, *, is_adaptive: bool = True
) -> list[int]:
    """Return the sizes that are tried, one after the other, where `curve` is measured."""
    tried: list[MeasuredSize] = []
    while (size := next_size(kind, LADDER, tried, is_adaptive=is_adaptive)) is not None:
        tried.append(step(size, curve(size)))
    return [each.size for each in tried]


def test_the_usual_sizes_have_no_more_processes_than_cpus() -> None:
    assert usual_sizes(1) == {"thread": LADDER, "process": (1,)}
    assert usual_sizes(2)[PoolKind.PROCESS] == (1, 2)
    assert usual_sizes(4)[PoolKind.PROCESS] == (1, 2, 3, 4)
    assert usual_sizes(24)[PoolKind.PROCESS] == (1, 2, 4, 8, 16, 24)


@given(st.integers(1, 1000))
def test_the_usual_sizes_rise_and_have_the_cpus_among_them(cpus: int) -> None:
    processes = usual_sizes(cpus)[PoolKind.PROCESS]

    assert list(processes) == sorted(set(processes))
    assert min(cpus, 64) in processes
    assert processes[0] == 1


def test_the_climb_ends_two_sizes_beyond_the_knee() -> None:
    assert climbed(lambda size: min(size, 8)) == [1, 2, 4, 8, 16, 32]
    assert climbed(lambda _: 1) == [1, 2, 4]


def test_threads_are_doubled_as_long_as_more_gain_up_to_the_most_there_are() -> None:
    assert climbed(lambda size: size) == [*LADDER, 128, MAX_THREADS]
    assert climbed(lambda size: min(size, 64))[-2:] == [64, 128]


def test_processes_are_not_doubled() -> None:
    assert climbed(lambda size: size, PoolKind.PROCESS) == list(LADDER)


def test_sizes_that_somebody_named_are_all_tried_and_no_others() -> None:
    assert climbed(lambda _: 1, is_adaptive=False) == list(LADDER)
    assert climbed(lambda size: size, is_adaptive=False) == list(LADDER)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20), st.booleans())
def test_the_climb_always_ends_and_never_tries_a_size_twice(
    measured: list[float], is_adaptive: bool
) -> None:
    values = iter(measured * 2)

    sizes = climbed(lambda _: next(values, 0.0), is_adaptive=is_adaptive)

    assert sizes == sorted(set(sizes))
    assert sizes[-1] <= MAX_THREADS


def test_a_clear_knee_is_not_measured_again() -> None:
    assert doubtful(steps_of({1: 10, 2: 20, 4: 40, 8: 80, 16: 79, 32: 80.5})) == ()


def test_what_noise_may_have_decided_is_measured_again_with_the_best() -> None:
    assert doubtful(steps_of({1: 50, 2: 94, 4: 100, 8: 99})) == (2, 4)
    noisy = [step(1, 50, noise=0.05), step(2, 98, noise=0.05), step(4, 112, noise=0.05)]
    assert doubtful(noisy) == (2, 4)


@given(st.dictionaries(st.integers(1, 64), st.floats(0, 1e6), min_size=1, max_size=9))
def test_what_is_measured_again_has_been_measured_and_has_the_best_in_it(
    measured: dict[int, float],
) -> None:
    steps = steps_of(measured)
    again = doubtful(steps)

    assert set(again) <= set(measured)
    if again:
        assert max(measured[size] for size in again) == max(measured.values())
        assert min(again) <= knee(steps).size


@pytest.mark.parametrize(
    ("threads", "processes", "kind", "size", "is_close"),
    [
        ({1: 10, 2: 10}, {1: 10, 2: 20}, "process", 2, False),
        ({1: 10, 8: 80}, {1: 10, 2: 20}, "thread", 8, False),
        ({1: 10, 2: 20}, {1: 10, 2: 21}, "thread", 2, True),
        ({1: 10, 2: 20}, {1: 10, 2: 0}, "thread", 2, False),
    ],
)
def test_processes_are_chosen_only_where_they_are_clearly_better(
    threads: dict[int, float],
    processes: dict[int, float],
    kind: str,
    size: int,
    is_close: bool,
) -> None:
    both = [
        scaling(PoolKind.THREAD, steps_of(threads), CPUS),
        scaling(PoolKind.PROCESS, steps_of(processes), CPUS),
    ]

    chosen = choose([found for found in both if found is not None])

    assert chosen is not None
    assert (chosen.kind, chosen.size, chosen.is_close) == (kind, size, is_close)


def test_with_one_kind_there_is_nothing_to_compare() -> None:
    only = scaling(PoolKind.PROCESS, steps_of({1: 10, 2: 20}), CPUS)
    assert only is not None

    chosen = choose([only])

    assert chosen is not None
    assert (chosen.kind, chosen.size, chosen.gain) == ("process", 2, None)
    assert choose([]) is None
