"""Profiles: sums that forget, with what shared its process kept apart."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pooldeck.kinds import PoolKind
from pooldeck.outcome import Measurement, Observation
from pooldeck_server.domain.measurements.profiles import HALF_LIFE, Profile

EMPTY = Profile("jobs.f", PoolKind.THREAD)


def after(before: Profile, *measured: Measurement, seen: tuple[Observation, ...] = ()) -> Profile:
    return before.after(measured, seen, runs=len(measured), now=before.last_at + 1)


def run(seconds: float, cpu: float = 0.0, **more: float) -> Measurement:
    return msgspec.structs.replace(Measurement(run=seconds, cpu=cpu), **more)


def look(**seconds: float) -> Observation:
    plain = Observation("jobs.f", 10, held=0, free=0, waiting=0, delayed=0, beside=0)
    return msgspec.structs.replace(plain, **seconds)


def test_a_profile_tells_the_mean_of_its_runs() -> None:
    known = after(EMPTY, run(1.0, 0.2), run(3.0, 0.4))
    assert (known.runs, known.runs_ever) == (2, 2)
    assert known.wall == pytest.approx(2.0)
    assert known.cpu == pytest.approx(0.3)
    assert known.waiting == pytest.approx(1.7)
    assert known.alone == pytest.approx(2.0)


def test_it_comes_back_whole_from_the_store() -> None:
    known = after(EMPTY, run(1.0, 0.5), seen=(look(held=0.5, waiting=0.5),))
    assert msgspec.json.decode(msgspec.json.encode(known), type=Profile) == known


def test_a_half_life_of_runs_halves_the_weight_of_those_before() -> None:
    known = after(EMPTY, *[run(1.0)] * HALF_LIFE)
    changed = after(known, *[run(4.0)] * HALF_LIFE)
    assert changed.wall == pytest.approx(3.0)
    assert changed.runs == pytest.approx(1.5 * HALF_LIFE)
    assert changed.runs_ever == 2 * HALF_LIFE


def test_a_function_that_changes_is_noticed_by_its_trend() -> None:
    known = after(EMPTY, *[run(1.0)] * 50)
    assert known.fast == pytest.approx(known.slow)
    slower = after(known, *[run(3.0)] * 20)
    assert slower.fast / slower.slow > 1.5


@given(st.lists(st.floats(0.001, 10.0), min_size=1, max_size=50), st.integers(1, 49))
def test_it_does_not_matter_how_runs_arrive_in_batches(lengths: list[float], cut: int) -> None:
    measured = [run(length, length / 2) for length in lengths]
    at_once = after(EMPTY, *measured)
    in_two = after(after(EMPTY, *measured[:cut]), *measured[cut:])
    assert in_two.fast == pytest.approx(at_once.fast)
    assert in_two.runs_ever == at_once.runs_ever
    assert in_two.wall == pytest.approx(at_once.wall, rel=0.2)


def test_looks_without_runs_forget_nothing() -> None:
    known = after(EMPTY, *[run(1.0, 1.0)] * 10)
    seen = after(known, seen=(look(held=0.5),))
    assert seen.runs == known.runs
    assert seen.gil == pytest.approx(1.0)


def test_a_thread_that_never_gave_up_its_cpu_has_not_waited() -> None:
    preempted = run(3.0, 1.0, voluntary_switches=0)
    assert after(EMPTY, *[preempted] * 5).waiting == 0.0


def test_a_measured_wait_for_a_cpu_is_no_waiting() -> None:
    delayed = run(3.0, 1.0, delayed=1.5, voluntary_switches=9)
    assert after(EMPTY, *[delayed] * 5).waiting == pytest.approx(0.5)


def test_looks_tell_waiting_from_a_wait_for_a_cpu_that_was_not_measured() -> None:
    slow = [run(3.0, 1.0)] * 5
    waits = after(EMPTY, *slow, seen=(look(looks=100, held=5.0, waiting=10.0),))
    busy = after(EMPTY, *slow, seen=(look(looks=100, held=15.0),))
    assert waits.waiting == pytest.approx(2.0, rel=0.05)
    assert busy.waiting < 0.1


def test_what_needs_no_gil_is_seen_by_itself_and_in_company() -> None:
    measured = [run(1.0, 1.0, voluntary_switches=50)] * 5
    alone = after(EMPTY, *measured, seen=(look(looks=1000, free=4.0, held=1.0),))
    assert alone.gil == pytest.approx(0.2, abs=0.01)
    crowded = after(
        EMPTY,
        *[run(4.0, 1.0, beside=7, delayed=2.4)] * 5,
        seen=(look(looks=1000, free=13.6, held=6.4, beside=7),),
    )
    assert crowded.gil == pytest.approx(0.2, abs=0.01)


def test_a_call_that_never_gave_the_gil_back_to_the_probe_did_not_hold_it() -> None:
    seen = (look(looks=100, held=2.0, free=3.0),)
    never = after(EMPTY, *[run(1.0, 1.0, voluntary_switches=0)] * 5, seen=seen)
    always = after(EMPTY, *[run(1.0, 1.0, voluntary_switches=20)] * 5, seen=seen)
    assert never.gil == pytest.approx(0.05, abs=0.02)  # one look a run may have seen its end
    assert always.gil == pytest.approx(0.4, abs=0.02)


def test_one_look_is_not_enough_to_believe_that_the_gil_is_released() -> None:
    once = after(EMPTY, *[run(0.003, 0.003)] * 5, seen=(look(looks=1, free=0.004),))
    often = after(EMPTY, *[run(0.003, 0.003)] * 5, seen=(look(looks=20, free=0.004),))
    assert once.gil is not None
    assert once.gil > 0.5 * once.cpu
    assert often.gil is not None
    assert often.gil < 0.2 * often.cpu


def test_calls_that_are_always_ready_beside_others_need_no_gil() -> None:
    released = [run(4.0, 1.0, beside=7, overlap=3.5, delayed=2.9, voluntary_switches=1)] * 5
    held = [run(8.0, 1.0, beside=7, overlap=7.0, delayed=0.5, voluntary_switches=99)] * 5
    free, unknown = after(EMPTY, *released).gil, after(EMPTY, *held).gil
    assert free is not None
    assert free < 0.25
    assert unknown is None  # nothing was seen of them, and they were asleep most of the time


def test_of_the_gil_nothing_is_said_where_nothing_was_seen() -> None:
    assert after(EMPTY, *[run(1.0, 1.0)] * 5).gil is None


def test_helpers_count_only_where_nothing_ran_beside() -> None:
    alone = run(1.0, 0.1, helper_cpu=2.0)
    crowded = run(1.0, 0.1, beside=3)
    assert after(EMPTY, alone, alone, crowded, crowded).helper_cpu == pytest.approx(2.0)


def test_a_profile_without_runs_says_nothing_and_fails_nowhere() -> None:
    assert (EMPTY.wall, EMPTY.cpu, EMPTY.waiting, EMPTY.alone, EMPTY.gil) == (0, 0, 0, 0, None)
