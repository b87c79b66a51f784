"""The same trouble again and again is a few lines, and then a line with a count."""

import io
import logging
import time
from collections.abc import Iterator

import pytest

from pooldeck_server.domain.log_subjects import about
from pooldeck_server.terminal.lines import REQUESTS, TextLine
from pooldeck_server.terminal.repeats import SAID_FIRST, Terminal
from tests.support.waiting import eventually

LONG = 600.0


class Screen:
    """What a handler has written, and a logger that writes to nothing else."""

    def __init__(self, seconds: float) -> None:
        self._stream = io.StringIO()
        self.handler = Terminal(self._stream, seconds)
        self.handler.setFormatter(TextLine(is_coloured=False))
        self.log = logging.Logger("tests")  # noqa: LOG001 - beside all that others may have set
        self.log.addHandler(self.handler)

    @property
    def lines(self) -> list[str]:
        return [line.partition(": ")[2] for line in self._stream.getvalue().splitlines()]

    def die(self, times: int, function: str = "a.f") -> None:
        for number in range(times):
            self.log.warning("worker %d died", number, extra=about(function=function))


@pytest.fixture
def screen() -> Iterator[Screen]:
    screen = Screen(LONG)
    yield screen
    screen.handler.close()


def test_the_first_lines_of_a_kind_are_written_and_the_rest_are_counted_in_the_end(
    screen: Screen,
) -> None:
    screen.die(100)

    assert screen.lines == [f"worker {number} died" for number in range(SAID_FIRST)]
    screen.handler.close()
    (summary,) = screen.lines[SAID_FIRST:]
    assert summary.startswith(f"worker 99 died [the latest of {100 - SAID_FIRST} such lines in ")


def test_they_are_summed_up_when_their_time_is_over_though_nothing_more_comes() -> None:
    screen = Screen(0.2)
    screen.die(SAID_FIRST + 7)

    eventually(lambda: len(screen.lines) > SAID_FIRST, "a line sums up")

    assert f"[the latest of {7} such lines" in screen.lines[-1]
    screen.handler.close()
    assert len(screen.lines) == SAID_FIRST + 1


def test_what_goes_on_is_one_line_each_time_and_not_several_again() -> None:
    screen = Screen(1.5)

    def are_summed_up_twice() -> bool:
        screen.die(SAID_FIRST)
        return sum("such lines" in line for line in screen.lines) == 2

    eventually(are_summed_up_twice, "two lines sum up")

    assert len(screen.lines) == SAID_FIRST + 2
    screen.handler.close()


def test_what_comes_again_after_a_quiet_while_is_written_again() -> None:
    screen = Screen(0.1)
    screen.die(SAID_FIRST)
    since = time.monotonic()
    eventually(lambda: time.monotonic() > since + 0.1, "its time is over")

    screen.die(1)

    assert screen.lines[SAID_FIRST:] == ["worker 0 died"]
    screen.handler.close()


def test_a_flood_of_one_function_hides_nothing_of_another_or_of_another_kind(
    screen: Screen,
) -> None:
    screen.die(50)
    screen.die(1, function="a.g")
    screen.log.error("the database does not take writes")

    assert screen.lines[SAID_FIRST:] == ["worker 0 died", "the database does not take writes"]


def test_defects_and_what_only_the_verbose_see_are_never_left_out(screen: Screen) -> None:
    for number in range(50):
        screen.log.error("internal error %d", number, exc_info=KeyError(number))
        screen.log.debug("worker %d is ready", number)
        screen.handler.handle(
            logging.makeLogRecord({"name": REQUESTS, "msg": "a request", "levelno": logging.INFO})
        )

    assert sum("internal error" in line for line in screen.lines) == 50
    assert sum("is ready" in line for line in screen.lines) == 50
    assert sum(line == "a request" for line in screen.lines) == 50
