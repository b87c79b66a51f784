"""What a supervisor says on the second pipe while calls run: cancel, abandon."""

from pathlib import Path

import msgspec
import pytest

from pooldeck.marks import moment
from pooldeck.outcome import ErrorKind
from pooldeck.protocol import (
    Abandon,
    Abandoned,
    Call,
    Cancel,
    Finished,
    Log,
    Look,
    Returned,
    Stack,
    Started,
    Until,
)
from tests.support.driven import DrivenWorker

KINDS = pytest.mark.parametrize("kind", ["process", "thread"])

PATIENT = """
    import threading, time
    from concurrent.futures import CancelledError

    @task
    def until_asked(ending="raise"):
        while not current_task().cancelled:
            time.sleep(0.01)
        if ending == "raise":
            raise CancelledError
        return ending

    @task
    def until_told(path):
        while not os.path.exists(path):
            time.sleep(0.01)
        print("told")
        return [current_task().attempt, current_task().cancelled]

    @task
    def wait_for_ever():
        threading.Event().wait()

    @task
    def whoami():
        return [threading.get_ident(), threading.get_native_id()]

    @task
    def deadline():
        return current_task().deadline
"""


@KINDS
def test_a_function_sees_that_it_is_asked_and_can_end_as_cancelled(
    tmp_path: Path, kind: str
) -> None:
    with DrivenWorker(tmp_path, PATIENT, kind=kind, slots=2) as worker:
        task = worker.submit("until_asked")
        worker.hear_of(task, Started)
        worker.control(Cancel(task))
        assert worker.report(task).outcome.cancelled
        assert worker.run("whoami").result


def test_only_the_one_that_is_meant_is_asked(tmp_path: Path) -> None:
    with DrivenWorker(tmp_path, PATIENT, kind="thread", slots=2) as worker:
        first = worker.submit("until_asked", "first")
        worker.hear_of(first, Started)
        second = worker.submit("until_asked")
        worker.hear_of(second, Started)
        worker.control(Cancel(second))
        assert worker.report(second).outcome.cancelled
        assert len(worker.so_far(first).frames) == 1
        worker.control(Cancel(first))
        assert worker.report(first).result == "first"


@KINDS
def test_a_call_that_was_cancelled_before_it_came_is_given_back_once(
    tmp_path: Path, kind: str
) -> None:
    with DrivenWorker(tmp_path, PATIENT, kind=kind) as worker:
        worker.control(Cancel("task-1"))
        worker.control(Look("task-1"))
        assert worker.hear() == Stack("task-1", None)  # so the cancel has been read
        worker.submit("whoami")
        assert worker.hear() == Returned(["task-1"])
        worker.send(Call("task-1", 2, "jobs.whoami", b"[]", b"{}"))
        assert worker.report("task-1").result


def test_a_cancelled_call_behind_another_is_given_back(tmp_path: Path) -> None:
    with DrivenWorker(tmp_path, PATIENT) as worker:
        first, second = worker.submit("until_asked"), worker.submit("whoami")
        worker.control(Cancel(second))
        said = [worker.hear(), worker.hear()]
        assert Returned([second]) in said
        worker.control(Cancel(first))
        assert worker.report(first).outcome.cancelled
        assert not worker.so_far(second).frames


@KINDS
def test_the_deadline_counts_from_the_reported_start(tmp_path: Path, kind: str) -> None:
    with DrivenWorker(tmp_path, PATIENT, kind=kind) as worker:
        report = worker.report(worker.submit_limited(60, "deadline"))
    assert report.result == report.started.started_at + 60


@KINDS
def test_at_its_deadline_a_function_is_asked_and_its_end_is_a_timeout(
    tmp_path: Path, kind: str
) -> None:
    with DrivenWorker(tmp_path, PATIENT, kind=kind) as worker:
        error = worker.report(worker.submit_limited(0.2, "until_asked", "late")).error
    assert error.kind is ErrorKind.TIMEOUT
    assert error.message.endswith("its timeout is 0.2 s")


@KINDS
def test_a_start_names_the_thread_as_python_and_the_kernel_do(tmp_path: Path, kind: str) -> None:
    with DrivenWorker(tmp_path, PATIENT, kind=kind) as worker:
        report = worker.run("whoami")
    assert report.result == [report.started.ident, report.started.native_id]


@KINDS
def test_a_busy_worker_without_a_supervisor_ends_at_once(tmp_path: Path, kind: str) -> None:
    with DrivenWorker(tmp_path, PATIENT, kind=kind) as worker:
        worker.hear_of(worker.submit("wait_for_ever"), Started)
        assert worker.hang_up() == 0


@KINDS
def test_a_busy_worker_that_can_be_told_nothing_any_more_ends(tmp_path: Path, kind: str) -> None:
    with DrivenWorker(tmp_path, PATIENT, kind=kind) as worker:
        worker.hear_of(worker.submit("wait_for_ever"), Started)
        worker.hang_up_control()
        assert worker.process.wait(30) == 0


def test_the_number_of_an_abandoned_slot_is_free_at_once(tmp_path: Path) -> None:
    with DrivenWorker(tmp_path, PATIENT, kind="thread", slots=2) as worker:
        hanging = worker.submit("wait_for_ever")
        assert worker.hear_of(hanging, Started).thread == 1
        other = worker.submit("until_asked")
        assert worker.hear_of(other, Started).thread == 2
        worker.control(Abandon(hanging))
        worker.hear_of(hanging, Abandoned)
        assert worker.run("whoami").started.thread == 1
        worker.control(Cancel(other))
        assert worker.report(other).outcome.cancelled


def test_the_end_of_an_abandoned_call_is_told_apart_and_so_is_what_it_says(tmp_path: Path) -> None:
    told = tmp_path / "told"
    with DrivenWorker(tmp_path, PATIENT, kind="thread") as worker:
        task = worker.submit("until_told", str(told))
        worker.hear_of(task, Started)
        worker.control(Abandon(task))
        worker.hear_of(task, Abandoned)
        told.touch()
        finished = worker.hear_of(task, Finished)
        assert finished.is_abandoned
        assert finished.outcome.result == b"[1,true]"
        worker.control(Look(task))
        assert worker.hear_of(task, Stack).text is None
        while not worker.own_lines:
            worker.hear()
        assert not worker.so_far(task).said
    assert [(line.source, line.message) for line in worker.own_lines] == [
        ("stdout of jobs.until_told (task-1)", "told")
    ]


def test_another_attempt_runs_beside_an_abandoned_one(tmp_path: Path) -> None:
    paths = [str(tmp_path / name) for name in ("first", "second")]
    with DrivenWorker(tmp_path, PATIENT, kind="thread") as worker:
        task = worker.submit("until_told", paths[0])
        worker.hear_of(task, Started)
        worker.control(Abandon(task))
        worker.hear_of(task, Abandoned)
        arguments = msgspec.json.encode([paths[1]])
        worker.send(Call(task, 2, "jobs.until_told", arguments, b"{}"))
        worker.hear_of(task, Started)
        for path, attempt in zip(paths, (1, 2), strict=True):
            Path(path).touch()
            finished = worker.hear_of(task, Finished)
            assert finished.is_abandoned == (attempt == 1)
            assert finished.outcome.result == msgspec.json.encode([attempt, attempt == 1])
        logs = [said for said in worker.report(task).frames if isinstance(said, Log)]
        assert [line.message for log in logs for line in log.lines] == ["told"]


def test_an_abandoned_thread_does_not_keep_the_worker(tmp_path: Path) -> None:
    with DrivenWorker(tmp_path, PATIENT, kind="thread") as worker:
        task = worker.submit("wait_for_ever")
        worker.hear_of(task, Started)
        worker.control(Abandon(task))
        worker.hear_of(task, Abandoned)
        assert worker.stop() == 0


def test_many_calls_one_after_the_other_use_one_slot(tmp_path: Path) -> None:
    with DrivenWorker(tmp_path, PATIENT, kind="thread", slots=4) as worker:
        idents = {tuple(worker.run("whoami").result) for _ in range(50)}
    assert len(idents) == 1


@KINDS
def test_a_worker_ends_when_the_time_is_over_that_it_was_told_last(
    tmp_path: Path, kind: str
) -> None:
    with DrivenWorker(tmp_path, PATIENT, kind=kind) as worker:
        task = worker.submit("wait_for_ever")
        worker.hear_of(task, Started)
        told = moment()
        worker.control(Until(told + 0.1))
        worker.control(Until(told + 0.5))
        assert worker.process.wait(30) == 0
        assert moment() - told >= 0.5
