"""What is kept of a log: beginning, end, and the first and last errors, whatever comes between."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pooldeck_server.domain.tasks.kept_lines import KeptLines, LogBounds

LARGE = 10**9


class Log:
    """A log as a store has it: what was added and has not been cut."""

    def __init__(self, *, lines: int = LARGE, size: int = LARGE, errors: int = 0) -> None:
        self._kept = KeptLines(LogBounds(lines, size, errors))
        self._errors: set[int] = set()
        self.lines: set[int] = set()
        self.cuts = 0

    def add(self, n: int, size: int = 1, *, is_error: bool = False) -> None:
        self.lines.add(n)
        self._errors |= {n} if is_error else set()
        self._kept.add(n, size, is_error=is_error)
        self.cut()

    def cut(self) -> None:
        for cut in self._kept.cuts():
            self.cuts += 1
            gone = set(range(cut.first, cut.last + 1))
            self.lines -= gone if cut.takes_all else gone - self._errors


def test_of_a_log_within_its_bounds_all_is_kept() -> None:
    log = Log(lines=100, size=1000)
    for n in range(1, 101):
        log.add(n, 10)
    assert log.lines == set(range(1, 101))


def test_of_a_long_log_the_beginning_and_the_end_are_kept() -> None:
    log = Log(lines=1000)
    for n in range(1, 12_001):
        log.add(n)
    assert log.lines >= {*range(1, 501), *range(12_000 - 430, 12_001)}
    assert len(log.lines) <= 1000


def test_of_a_large_log_the_beginning_and_the_end_are_kept() -> None:
    log = Log(size=1000)
    for n in range(1, 1001):
        log.add(n, 10)
    assert log.lines >= {*range(1, 51), *range(960, 1001)}
    assert 10 * len(log.lines) <= 1000


def test_a_long_log_is_cut_seldom() -> None:
    log = Log(lines=1000)
    for n in range(1, 12_001):
        log.add(n)
    assert log.cuts < 12_000 / 50


def test_the_first_and_the_last_errors_are_kept_wherever_they_stand() -> None:
    log = Log(lines=100, errors=10)
    for n in range(1, 10_001):
        log.add(n, is_error=n % 100 == 0)
    assert log.lines >= {*range(100, 1001, 100), *range(9100, 10_001, 100)}
    assert len(log.lines) <= 100 + 20


def test_a_flood_of_errors_is_bounded_too() -> None:
    log = Log(lines=100, errors=10)
    for n in range(1, 10_001):
        log.add(n, is_error=True)
    assert log.lines >= {*range(1, 51), *range(9990, 10_001)}
    assert len(log.lines) <= 100 + 20


def test_a_line_that_is_finished_late_takes_nothing_of_the_beginning_along() -> None:
    log = Log(lines=100)
    for n in range(2, 1001):
        log.add(n)
        if n % 40 == 0:
            log.add(n - 39)
    assert log.lines >= {*range(2, 50), *range(970, 1001)}


@pytest.mark.parametrize("lines", [1, 2, 3])
def test_the_first_and_the_last_line_are_kept_under_the_least_bounds(lines: int) -> None:
    log = Log(lines=lines, size=10)
    for n in range(1, 101):
        log.add(n, 5)
    assert log.lines >= {1, 100}


@given(
    said=st.lists(st.tuples(st.integers(1, 3), st.integers(0, 9), st.booleans()), max_size=300),
    lines=st.integers(2, 40),
    size=st.integers(20, 200),
    errors=st.integers(0, 5),
)
def test_whatever_is_said_the_bounds_hold_and_what_counts_is_there(
    said: list[tuple[int, int, bool]], lines: int, size: int, errors: int
) -> None:
    log, n, wrong = Log(lines=lines, size=size, errors=errors), 0, []
    for step, length, is_error in said:
        n += step
        wrong += [n] if is_error else []
        log.add(n, length, is_error=is_error)
    assert log.lines >= {*wrong[:errors], *(wrong[-errors:] if errors else [])}
    assert len(log.lines) <= lines + 2 * errors + 1
    assert not said or n in log.lines
