"""How the story of a start is told."""

import pytest

from pooldeck_server.domain.pools.controls import CutOffTask, StartReport
from pooldeck_server.domain.pools.starts import in_words
from pooldeck_server.domain.tasks.states import State


def test_a_start_after_a_crash_says_how_long_it_was_down_and_what_became_of_everything() -> None:
    report = StartReport(
        was_clean=False,
        down_seconds=12.4,
        queued=100,
        scheduled=2,
        rerun=4,
        lost=3,
        reaped=1,
        held=2,
    )

    assert in_words(report) == (
        "the server before this one was cut off 12 s ago; "
        "its tasks: 100 queued, 2 scheduled, 4 run again, 3 lost; "
        "1 process left over and ended; 2 functions on hold"
    )


def test_what_there_is_none_of_is_not_said() -> None:
    report = StartReport(was_clean=True, down_seconds=3.21)

    assert in_words(report) == "the server before this one ended in order 3.2 s ago"


def test_what_the_end_before_a_start_cut_off_is_said_by_name() -> None:
    tasks = tuple(CutOffTask(f"t{n}", "jobs.nap", State.LOST) for n in range(7))
    report = StartReport(was_clean=True, down_seconds=3.2, lost=30, cut_off=tasks)

    said = in_words(report)
    assert said.startswith("the server before this one ended in order 3.2 s ago; its tasks: 30 ")
    assert "cut off: jobs.nap (t0) lost, jobs.nap (t1) lost," in said
    assert said.endswith("jobs.nap (t4) lost and 25 more")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0.0 s"), (119, "119 s"), (150, "2 min"), (9000, "2 h 30 min"), (259_200, "3 days")],
)
def test_a_time_span_is_as_exact_as_people_want_it(seconds: float, words: str) -> None:
    assert f" {words} ago" in in_words(StartReport(was_clean=False, down_seconds=seconds))
