"""The account of what runs in a worker, kept between its threads."""

import time

from pooldeck.context import CurrentTask
from pooldeck.protocol import Call
from pooldeck.worker.black_box import Region
from pooldeck.worker.runs import Run, Runs, Slot
from tests.support.unsent import unsent_log


def run_of(task: str, attempt: int = 1) -> Run:
    call = Call(task, attempt, "f", b"[]", b"{}")
    log = unsent_log(call)
    current = CurrentTask(log, id=task, attempt=attempt, function="f", pool="p", worker="w-1")
    return Run(call, current, log, Slot(1, Region(None, 0)), time.monotonic())


def test_an_attempt_beside_an_abandoned_one_is_the_one_that_counts() -> None:
    runs, first, second = Runs(), run_of("a"), run_of("a", attempt=2)
    assert runs.enter(first)
    assert runs.abandon("a") is first
    assert runs.find("a") is first
    assert runs.enter(second)
    assert runs.find("a") is second
    runs.cancel("a")
    assert (first.is_abandoned, second.is_abandoned) == (True, False)
    assert second.task.cancelled
    runs.leave(second)
    assert runs.find("a") is first
    runs.leave(first)
    assert runs.find("a") is None


def test_a_call_that_is_abandoned_before_it_came_is_turned_away_once() -> None:
    runs = Runs()
    assert runs.abandon("a") is None
    assert [runs.enter(run_of("a")) for _ in range(2)] == [False, True]


def test_what_was_given_back_otherwise_is_not_turned_away_later() -> None:
    runs = Runs()
    runs.cancel("a")
    runs.forget(["a", "b"])
    assert runs.enter(run_of("a"))


def test_notes_about_calls_that_never_come_do_not_pile_up() -> None:
    runs = Runs()
    for number in range(10_001):
        runs.cancel(str(number))
    assert [runs.enter(run_of(task)) for task in ("0", "1", "10000")] == [True, False, False]
