"""Task ids."""

import threading
import uuid
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pooldeck_server.domain.clock import ManualClock
from pooldeck_server.domain.tasks.ids import TaskIds, first_id_at


def test_ids_are_uuids_of_version_7_with_the_time_in_front() -> None:
    clock = ManualClock(wall=1_700_000_000_123_456)
    made = uuid.UUID(TaskIds(clock).next())
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == 1_700_000_000_123


@given(st.lists(st.integers(-5_000_000, 5_000_000), max_size=50))
def test_ids_rise_even_when_the_clock_steps_back(steps: list[int]) -> None:
    clock = ManualClock()
    ids = TaskIds(clock)
    made = []
    for step in steps:
        clock.wall += step
        made += [ids.next(), ids.next()]
    assert made == sorted(set(made))


def test_ids_go_on_after_those_of_an_earlier_server() -> None:
    clock = ManualClock()
    last = TaskIds(clock).next()
    clock.wall -= 3_600_000_000
    assert TaskIds(clock, after=last).next() > last


def test_ids_of_several_threads_are_all_different() -> None:
    ids = TaskIds(ManualClock())
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.extend([ids.next() for _ in range(500)]))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 2000


def test_an_id_does_not_tell_the_next_one() -> None:
    ids = TaskIds(ManualClock())
    steps = {int(uuid.UUID(ids.next())) for _ in range(100)}
    ordered = sorted(steps)
    gaps = {later - earlier for earlier, later in pairwise(ordered)}
    assert len(gaps) > 90


def test_the_first_id_of_a_moment_bounds_the_ids_made_then() -> None:
    clock = ManualClock(wall=1_700_000_000_123_456)
    made = TaskIds(clock).next()
    assert first_id_at(clock.wall) <= made < first_id_at(clock.wall + 1000)
    assert first_id_at(-1) == first_id_at(0)
    assert uuid.UUID(first_id_at(clock.wall)).version == 7
