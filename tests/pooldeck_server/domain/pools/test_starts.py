"""How the story of a start is told."""

import pytest

from pooldeck_server.domain.pools.controls import StartReport
from pooldeck_server.domain.pools.starts import in_words


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


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0.0 s"), (119, "119 s"), (150, "2 min"), (9000, "2 h 30 min"), (259_200, "3 days")],
)
def test_a_time_span_is_as_exact_as_people_want_it(seconds: float, words: str) -> None:
    assert f" {words} ago" in in_words(StartReport(was_clean=False, down_seconds=seconds))
