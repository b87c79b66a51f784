"""What scrapers are told of tasks."""

from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.tasks.totals import OTHER, Totals


def new(function: str) -> TaskChanged:
    return TaskChanged(1, "a", function, "cpu", None, State.QUEUED)


def started(function: str, wait: float) -> TaskChanged:
    return TaskChanged(1, "a", function, "cpu", State.QUEUED, State.RUNNING, wait_seconds=wait)


def ended(function: str, before: State, run: float | None, kind: str | None = None) -> TaskChanged:
    state = State.SUCCEEDED if kind is None else State.FAILED
    return TaskChanged(
        *(1, "a", function, "cpu", before, state),
        wait_seconds=0.25,
        run_seconds=run,
        finished_at=5,
        error_kind=kind,
    )


def test_each_attempt_has_one_wait_and_one_run_whether_its_start_was_told_apart_or_not() -> None:
    totals = Totals(10)

    totals.on_commit([new("f"), new("f")])
    totals.on_commit([started("f", 0.25), ended("f", State.RUNNING, 2.0)])
    totals.on_commit([ended("f", State.QUEUED, 2.0)])

    [series] = totals.series.values()
    assert series.submitted == 2
    assert (series.waits.total, series.runs.total) == (0.5, 4.0)


def test_errors_of_attempts_are_counted_by_kind() -> None:
    totals = Totals(10)

    totals.on_commit([ended("f", State.RUNNING, 1.0, "timeout"), ended("f", State.RUNNING, 1.0)])

    assert totals.errors == {("cpu", "timeout"): 1}


def test_a_task_that_was_cancelled_before_it_ran_has_neither_wait_nor_run() -> None:
    totals = Totals(10)

    totals.on_commit(
        [TaskChanged(1, "a", "f", "cpu", State.QUEUED, State.CANCELLED, finished_at=5)]
    )

    series = totals.series["cpu", "f"]
    assert (*series.waits.buckets(),)[-1][1] == (*series.runs.buckets(),)[-1][1] == 0


def test_functions_beyond_the_most_are_counted_together_and_never_get_a_name_later() -> None:
    totals = Totals(1)

    totals.on_commit([new("first"), new("second"), new("third"), new("first")])

    submitted = {key: each.submitted for key, each in totals.series.items()}
    assert submitted == {("cpu", "first"): 2, ("cpu", OTHER): 2}
    assert Totals(0).functions.name("any") == OTHER
