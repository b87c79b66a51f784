"""What the lines of an attempt become: records with numbers, and what is kept no longer."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pooldeck.protocol import LogLine
from pooldeck_server.domain.tasks.kept_lines import LogBounds
from pooldeck_server.runtime.tasks.attempt_log import AttemptLog

LARGE = LogBounds(10**9, 10**9, 0)


class Log:
    """The log of an attempt as the store has it."""

    def __init__(self, bounds: LogBounds = LARGE) -> None:
        self.kept = AttemptLog(1, 1, bounds)
        self.stored: dict[int, tuple[str, bool]] = {}

    def take(self, *lines: LogLine) -> None:
        news = self.kept.take(lines)
        self.stored |= {entry.n: (entry.message, entry.is_open) for entry in news.entries}
        for cut in news.cuts:
            for n in [n for n in self.stored if cut.first <= n <= cut.last]:
                if cut.takes_all or not self.stored[n][1]:
                    del self.stored[n]


def line(n: int, *, is_open: bool = False, source: str = "stdout") -> LogLine:
    return LogLine(1.0, "INFO", source, f"line {n}", n, is_open)


def finished(numbers: Iterable[int]) -> list[LogLine]:
    return [line(n) for n in numbers]


def test_lines_of_the_servers_own_follow_those_of_the_worker() -> None:
    log = Log()
    log.take(line(0), line(0), line(7), line(0))
    log.take(line(0))
    assert list(log.stored) == [1, 2, 7, 8, 9]


def test_an_unfinished_line_is_unfinished_until_it_comes_whole() -> None:
    log = Log()
    log.take(line(1, is_open=True), line(2, source="stderr"))
    assert list(log.kept.open) == [1]
    log.take(line(1, is_open=True), line(3, source="acme"))
    assert log.stored[1] == ("line 1", True)
    log.take(line(1))
    assert (log.stored[1], log.kept.open) == (("line 1", False), {})


def test_an_unfinished_line_goes_when_what_it_came_to_was_left_out_in_a_flood() -> None:
    log = Log()
    log.take(line(1), line(2, is_open=True), line(3, is_open=True, source="stderr"))
    log.take(*finished(range(500, 503)))
    assert sorted(log.stored) == [1, 3, 500, 501, 502]
    assert list(log.kept.open) == [3]


def test_what_was_taken_for_left_out_may_still_come() -> None:
    log = Log()
    log.take(line(1, is_open=True))
    log.take(line(5, is_open=True))
    assert list(log.stored) == [5]
    log.take(*finished(range(1, 6)))
    assert log.stored == {n: (f"line {n}", False) for n in range(1, 6)}


@pytest.mark.parametrize("ahead", [5700, 9828, 11_000])
def test_an_unfinished_line_that_runs_ahead_of_the_others_counts_with_them(ahead: int) -> None:
    log = Log(LogBounds(10_000, 10**9, 0))
    log.take(*finished(range(1, 5628)))
    log.take(line(ahead, is_open=True))
    log.take(*finished(range(6001, 11_001)))
    assert len(log.stored) <= 10_000
    assert log.stored.keys() >= {*range(1, 5001), *range(7001, 11_001)}
    assert not log.kept.open


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 40), st.booleans()), max_size=60))
def test_however_lines_come_beginning_and_end_are_kept_within_the_bounds(
    steps: list[tuple[int, int, bool]],
) -> None:
    log, last = Log(LogBounds(40, 10**9, 0)), 0
    said: list[int] = []
    for skipped, number, runs_ahead in steps:
        new = range(last + skipped + 1, last + skipped + number + 1)
        if runs_ahead:
            log.take(line(new[-1], is_open=True))
        log.take(*finished(new))
        said += new
        last = new[-1]
    assert log.stored.keys() >= {*said[:20], *said[-15:]}
    assert len(log.stored) <= 40 + 1
