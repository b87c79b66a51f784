"""Each threshold of the estimators, from both of its sides; docs/decisions/0016 says why they are.

Sums are written down as a profile would hold them, so that nothing but the estimator is at work.
"""

import pytest

from pooldeck.kinds import PoolKind
from pooldeck.outcome import Measurement, Observation
from pooldeck_server.domain.measurements import contention
from pooldeck_server.domain.measurements.profiles import Profile
from pooldeck_server.domain.measurements.run_sums import Sums

NONE = Sums()
CROWD = Sums(runs=100, run=100, cpu=100, beside=700)  # eight at a time, none of them ever idle


def waits_alone(runs: int) -> Sums:
    """Return runs that wait for one second each and had their process to themselves."""
    return Sums(runs=runs, run=runs, idle=runs)


# Waiting.


@pytest.mark.parametrize(("runs", "waiting"), [(2, 2 / 102), (3, 1.0)])
def test_from_three_runs_by_themselves_on_the_others_are_not_asked(
    runs: int, waiting: float
) -> None:
    assert contention.waiting(waits_alone(runs), CROWD) == pytest.approx(waiting)


def test_few_looks_that_saw_no_waiting_say_little_and_many_say_it_all() -> None:
    shares = [
        contention.waiting(Sums(runs=4, run=4, idle=4, looks=looks, held=1), NONE)
        for looks in (0, 1, 9, 99)
    ]
    assert shares == pytest.approx([1.0, 1 / 2, 1 / 10, 1 / 100])


def test_before_any_look_the_least_idle_run_counts_as_one() -> None:
    idle = Sums(runs=4, run=4, idle=4, least_idle=2, beside=0)
    assert contention.waiting(NONE, idle) == pytest.approx(0.5 - 0.5 / 2)


def test_half_a_standard_error_is_taken_off_and_looks_at_more_calls_at_once_tell_no_more() -> None:
    def of(beside: int) -> float:
        seen = Sums(runs=10, run=10, idle=10, looks=99, waiting=5, held=5, beside=10 * beside)
        return contention.waiting(NONE, seen)

    share = 49.5 / 100
    error = (share * (1 - share) / 99) ** 0.5
    assert of(0) == pytest.approx(share - error / 2)
    assert of(10) == pytest.approx(share - error * 11**0.5 / 2)


# Whether nobody can know.


@pytest.mark.parametrize(
    ("cpu", "least_idle", "is_blurred"),
    [(3, 2.1, True), (3, 1.9, False), (0.24, 9, False), (0.26, 9, True)],
)
def test_it_is_blurred_where_calls_want_a_fifth_of_the_time_and_all_were_idle_for_as_much(
    cpu: float, least_idle: float, is_blurred: bool
) -> None:
    crowd = Sums(runs=10, run=10, cpu=cpu, beside=70, least_idle=least_idle)
    assert contention.is_blurred(NONE, crowd) is is_blurred


@pytest.mark.parametrize(("looks", "is_blurred"), [(2, True), (3, False)])
def test_three_looks_end_the_blur_and_so_do_three_runs_alone(looks: int, is_blurred: bool) -> None:
    crowd = Sums(runs=10, run=10, cpu=3, beside=70, least_idle=5)
    seen = Sums(runs=10, run=10, cpu=3, beside=70, least_idle=5, looks=looks)
    assert contention.is_blurred(NONE, seen) is is_blurred
    assert contention.is_blurred(waits_alone(looks), crowd) is is_blurred


# Handing over, and helpers.


def test_in_company_the_size_bounds_how_long_json_takes() -> None:
    slow = Sums(runs=2, decode=2.0, encode=2.0, arguments_bytes=4e6, result_bytes=0)
    assert contention.handover(NONE, slow) == pytest.approx((0.00002 + 0.1, 0.00002))
    assert contention.handover(Sums(runs=1, decode=0.3, encode=0.4), slow) == (0.3, 0.4)


@pytest.mark.parametrize(("runs", "cpu"), [(2, (2 * 0.5 + 10 * 1.0) / 12), (3, 0.5)])
def test_from_three_runs_by_themselves_on_they_tell_what_helpers_do(runs: int, cpu: float) -> None:
    alone = Sums(runs=runs, run=runs, helper_cpu=0.5 * runs)
    seen = Sums(runs=10, run=10, waiting=10, looks=5, seen_helper_cpu=10)
    assert contention.helper_cpu(alone, seen) == pytest.approx(cpu)


# CPU time without the GIL.


@pytest.mark.parametrize(("looks", "share"), [(1, 1 / 3), (2, 1 / 2), (18, 0.9)])
def test_two_looks_are_presumed_to_have_found_the_gil_held(looks: int, share: float) -> None:
    seen = Sums(runs=5, run=5, cpu=5, looks=looks, free=1.0)
    assert contention.free_share(seen, NONE) == pytest.approx(share)


def test_three_looks_at_calls_by_themselves_silence_those_in_company() -> None:
    free = Sums(runs=5, run=5, cpu=5, beside=5, looks=1000, free=5)

    def of(looks: int) -> float:
        held = Sums(runs=5, run=5, cpu=5, looks=looks, held=1.0, voluntary=99)
        return contention.free_share(held, free) or 0.0

    assert of(2) > 0.9
    assert of(3) == 0.0


@pytest.mark.parametrize(("system", "share"), [(0.59, None), (0.61, 0.61)])
def test_system_calls_need_no_gil_where_they_are_most_of_the_cpu_time(
    system: float, share: float | None
) -> None:
    unseen = Sums(runs=5, run=5, cpu=5, system_cpu=5 * system)
    found = contention.free_share(unseen, NONE)
    assert found == (None if share is None else pytest.approx(share))


@pytest.mark.parametrize(("switches", "is_free"), [(11_999, True), (12_001, False)])
def test_what_goes_to_sleep_twelve_thousand_times_a_second_fights_for_the_gil(
    switches: int, is_free: bool
) -> None:
    calls = Sums(runs=5, run=5, cpu=5, system_cpu=5, voluntary=5 * switches)
    assert (contention.free_share(calls, NONE) is not None) is is_free
    seen = Sums(runs=5, run=5, cpu=5, voluntary=5 * switches, looks=100, free=5, beside=5)
    assert bool(contention.free_share(NONE, seen)) is is_free


def ready(share: float, beside: int, run: float = 1000.0) -> float | None:
    """Return what is free of runs that are ready for `share` of their time, and were not seen."""
    overlap = run * beside / (beside + 1)
    calls = Sums(runs=1, run=run, cpu=share * run, beside=beside, overlap=overlap)
    return contention.free_share(NONE, calls)


def test_all_calls_that_are_ready_at_a_time_but_one_need_no_gil_if_they_are_clearly_more() -> None:
    assert ready(0.574, beside=7) is None  # 8 * (0.574 - 0.2) is less than 3
    assert ready(0.576, beside=7) == pytest.approx(1 - 1 / 3.008, abs=0.001)


def test_threads_that_wake_to_ask_for_the_gil_are_ready_for_a_fifth_of_the_time() -> None:
    assert ready(0.2, beside=1000) is None
    assert ready(0.21, beside=1000) == pytest.approx(0.9, abs=0.001)


def test_the_first_slice_of_a_run_is_nobodys_loss() -> None:
    assert ready(1.0, beside=7, run=0.005) is None
    assert ready(1.0, beside=7, run=0.05) == pytest.approx(1 - 1 / 5.6)


def test_what_runs_of_other_functions_do_says_nothing_of_the_gil() -> None:
    beside_sleepers = Sums(runs=1, run=1000.0, cpu=1000.0, beside=6)
    assert contention.free_share(NONE, beside_sleepers) is None


# Company of others, and of its own kind.


@pytest.mark.parametrize(("others", "is_disturbed"), [(2.9, False), (3.1, True)])
def test_it_is_disturbed_where_more_than_half_of_those_beside_it_are_of_other_functions(
    others: float, is_disturbed: bool
) -> None:
    calls = 7 - others
    crowd = Sums(runs=1, run=calls, cpu=1, beside=6, overlap=calls - 1)
    assert contention.is_disturbed(NONE, crowd) is is_disturbed


@pytest.mark.parametrize(("looks", "is_disturbed"), [(2, True), (3, False)])
def test_three_looks_at_calls_by_themselves_cannot_be_disturbed(
    looks: int, is_disturbed: bool
) -> None:
    alone = Sums(runs=1, run=1, cpu=1, looks=looks, held=1)
    assert contention.is_disturbed(alone, Sums(runs=1, run=1, cpu=1, beside=6)) is is_disturbed


@pytest.mark.parametrize("calls", [1, 8])
def test_it_is_crowded_where_it_lacked_a_cpu_for_longer_than_its_like_can_have_kept_it(
    calls: int,
) -> None:
    def of(delayed: float) -> bool:
        crowd = Sums(runs=1, run=30, cpu=1, delayed=delayed, beside=7, overlap=30 * (1 - 1 / calls))
        return contention.is_crowded(NONE, crowd)

    assert not of(calls - 0.1)
    assert of(calls + 0.1)


@pytest.mark.parametrize(("looks", "is_crowded"), [(2, True), (3, False)])
def test_a_crowd_spoils_nothing_where_three_looks_met_calls_by_themselves(
    looks: int, is_crowded: bool
) -> None:
    alone = Sums(runs=1, run=1, cpu=1, looks=looks, held=1)
    crowd = Sums(runs=1, run=30, cpu=1, delayed=20, beside=6)
    assert contention.is_crowded(alone, crowd) is is_crowded


def beside_their_like(calls: float, cpu: float, runs: float = 10) -> float | None:
    crowd = Sums(runs=runs, run=runs, cpu=cpu * runs, overlap=runs * (1 - 1 / calls))
    return contention.getting_on(NONE, crowd)


def test_it_takes_two_at_a_time_and_three_runs_to_see_whether_they_get_on_side_by_side() -> None:
    assert beside_their_like(1.9, cpu=0.5) is None
    assert beside_their_like(2.1, cpu=0.5) == pytest.approx(0.5)
    assert beside_their_like(6, cpu=0.5, runs=2) is None


def test_time_without_a_cpu_does_not_tell_whether_calls_get_on_side_by_side() -> None:
    calls = Sums(runs=10, run=100, cpu=10, delayed=85, overlap=80)
    assert contention.getting_on(NONE, calls) == pytest.approx(10 / 15)


# Sums that forget.


@pytest.mark.parametrize(("beside", "is_alone"), [(0.2, True), (0.21, False)])
def test_looks_beside_a_fifth_of_a_call_count_as_alone(beside: float, is_alone: bool) -> None:
    look = Observation("f", 10, held=1, free=0, waiting=0, delayed=0, beside=beside)
    known = Profile("f", PoolKind.THREAD).after([], [look], runs=0, now=1)
    assert (known.by_itself.looks, known.in_company.looks) == ((10, 0) if is_alone else (0, 10))


def test_the_fast_mean_follows_ten_runs_and_the_slow_one_a_hundred() -> None:
    def one(seconds: float) -> Measurement:
        return Measurement(run=seconds, cpu=0.0)

    known = Profile("f", PoolKind.THREAD).after([one(0.0)] * 9, [], runs=9, now=1)
    changed = known.after([one(1.0)] * 10, [], runs=10, now=2)
    later = known.after([one(1.0)] * 100, [], runs=100, now=2)
    assert changed.fast == pytest.approx(1 - 0.9**10)  # two thirds of the way
    assert later.slow == pytest.approx(1 - 0.99**100)
