"""`current_task()` outside a worker: functions stay testable."""

import logging
import time

import pytest

from pooldeck import current_task
from pooldeck.context import CurrentTask


def test_outside_a_worker_there_is_a_stand_in() -> None:
    task = current_task()
    assert (task.id, task.attempt, task.deadline, task.cancelled) == ("local", 1, None, False)


def test_outside_a_worker_reports_go_to_logging(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        current_task().progress(0.5, "decoded")
        current_task().progress(None, "waiting")
        current_task().log("careful", level="warning")
        current_task().log("odd", level="no such level")
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "progress: 50% decoded"),
        ("INFO", "progress: waiting"),
        ("WARNING", "careful"),
        ("INFO", "odd"),
    ]


def test_progress_stays_between_nothing_and_all(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        for fraction in (-1, 1.0000001, float("nan")):
            current_task().progress(fraction)
    assert [record.getMessage() for record in caplog.records] == [
        "progress: 0%",
        "progress: 100%",
        "progress: 0%",
    ]


def test_a_fraction_that_is_no_number_is_refused() -> None:
    with pytest.raises(TypeError):
        current_task().progress([])  # type: ignore[arg-type]  # what a careless caller does


def test_a_task_is_cancelled_when_it_is_asked_to_or_when_its_time_is_over() -> None:
    def task(deadline: float | None) -> CurrentTask:
        reporter = current_task().reporter
        return CurrentTask(
            reporter, id="t", attempt=1, function="f", pool="p", worker="w", deadline=deadline
        )

    now = time.monotonic()
    assert [task(deadline).cancelled for deadline in (None, now + 60, now)] == [False, False, True]
    asked = task(None)
    asked.is_asked = True
    assert asked.cancelled
