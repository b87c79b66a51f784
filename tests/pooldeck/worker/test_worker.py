"""A worker as its supervisor sees it: start, calls in a process or in threads, end."""

from pathlib import Path

import pytest

from pooldeck.outcome import ErrorKind
from pooldeck.protocol import Finished, Limits, Started
from tests.support.driven import DrivenWorker

MEETING = """
    import threading
    barrier = threading.Barrier(8, timeout=20)

    @task
    def meet():
        barrier.wait()
        print(current_task().id)
        return threading.current_thread().name
"""
NAMED = """
    @task
    def nothing():
        pass
"""


def test_a_call_comes_back_with_its_result_and_its_cost(tmp_path: Path) -> None:
    source = """
        @task
        def add(a, b=2):
            return a + b
    """
    with DrivenWorker(tmp_path, source) as worker:
        report = worker.run("add", 40)
    assert report.result == 42
    measurement = report.outcome.measurement
    assert measurement is not None
    assert (measurement.arguments_bytes, measurement.result_bytes) == (len("[40]{}"), len("42"))
    assert measurement.run > 0


def test_a_call_is_reported_as_started_before_it_ends(tmp_path: Path) -> None:
    with DrivenWorker(tmp_path, NAMED) as worker:
        report = worker.run("nothing")
    assert [type(said) for said in report.frames] == [Started, Finished]
    assert report.started.thread is None


@pytest.mark.parametrize(
    ("kind", "timeout", "is_kept"),
    [
        ("process", None, True),
        ("process", 60.0, True),
        ("thread", None, True),
        ("thread", 60.0, False),
    ],
)
def test_the_start_of_a_quick_call_is_kept_for_its_end_unless_its_thread_may_be_looked_for(
    tmp_path: Path, kind: str, timeout: float | None, *, is_kept: bool
) -> None:
    with DrivenWorker(tmp_path, NAMED, kind=kind) as worker:
        reports = [worker.report(worker.submit_limited(timeout, "nothing")) for _ in range(20)]
    assert any(len(report.frames) == 1 for report in reports) is is_kept


def test_calls_run_in_the_order_in_which_they_were_sent(tmp_path: Path) -> None:
    source = """
        done = []
        @task
        def note(n):
            done.append(n)
            return list(done)
    """
    with DrivenWorker(tmp_path, source) as worker:
        tasks = [worker.submit("note", n) for n in range(5)]
        assert worker.report(tasks[-1]).result == [0, 1, 2, 3, 4]


def test_an_unknown_function_is_the_arguments_fault(tmp_path: Path) -> None:
    with DrivenWorker(tmp_path, NAMED) as worker:
        error = worker.run("something").error
    assert error.kind is ErrorKind.BAD_ARGUMENTS
    assert "jobs.something is not registered in this worker" in error.message


def test_eight_threads_run_side_by_side_under_numbers_of_their_own(tmp_path: Path) -> None:
    with DrivenWorker(tmp_path, MEETING, kind="thread", slots=8) as worker:
        tasks = [worker.submit("meet") for _ in range(8)]
        reports = [worker.report(task) for task in tasks]
    assert sorted(report.started.thread or 0 for report in reports) == list(range(1, 9))
    assert len({report.result for report in reports}) == 8


def test_tasks_in_threads_keep_their_logs_apart(tmp_path: Path) -> None:
    with DrivenWorker(tmp_path, MEETING, kind="thread", slots=8) as worker:
        tasks = [worker.submit("meet") for _ in range(8)]
        for task in tasks:
            assert worker.report(task).said == [("stdout", task)]


def test_a_stopped_worker_finishes_what_it_was_sent(tmp_path: Path) -> None:
    with DrivenWorker(tmp_path, MEETING, kind="thread", slots=8) as worker:
        tasks = [worker.submit("meet") for _ in range(8)]
        code = worker.stop()
        assert all(worker.report(task).result for task in tasks)
    assert code == 0


def test_a_worker_without_a_supervisor_ends(tmp_path: Path) -> None:
    with DrivenWorker(tmp_path, NAMED) as worker:
        assert worker.hang_up() == 0


def test_a_busy_thread_worker_without_a_supervisor_ends_at_once(tmp_path: Path) -> None:
    source = """
        import threading
        @task
        def wait_for_ever():
            threading.Event().wait()
    """
    with DrivenWorker(tmp_path, source, kind="thread", slots=2) as worker:
        worker.submit("wait_for_ever")
        assert isinstance(worker.hear(), Started)
        assert worker.hang_up() == 0


def test_threads_that_a_task_leaves_behind_do_not_keep_the_worker_for_long(tmp_path: Path) -> None:
    source = """
        import threading
        @task
        def leave():
            threading.Thread(target=threading.Event().wait).start()
    """
    with DrivenWorker(tmp_path, source) as worker:
        worker.run("leave")
        assert worker.stop() == 0


def test_async_functions_run_side_by_side_in_threads(tmp_path: Path) -> None:
    source = """
        import asyncio, threading
        barrier = threading.Barrier(2, timeout=20)
        @task
        async def meet():
            await asyncio.to_thread(barrier.wait)
            print("met")
    """
    with DrivenWorker(tmp_path, source, kind="thread", slots=2) as worker:
        tasks = [worker.submit("meet") for _ in range(2)]
        assert [worker.report(task).said for task in tasks] == [[("stdout", "met")]] * 2


def test_limits_of_the_setup_bound_the_result(tmp_path: Path) -> None:
    source = """
        @task
        def grow(n):
            return "x" * n
    """
    with DrivenWorker(tmp_path, source, limits=Limits(result_bytes=100)) as worker:
        assert worker.run("grow", 98).result == "x" * 98
        assert worker.run("grow", 99).error.kind is ErrorKind.BAD_RESULT


def test_the_peak_memory_of_a_call_is_measured_where_it_rose(tmp_path: Path) -> None:
    source = """
        import resource
        @task
        def take(megabytes):
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            bytearray(before + megabytes * 2**20 if megabytes else 0)
            return before
    """
    with DrivenWorker(tmp_path, source) as worker:
        report = worker.run("take", 50)
        measurement = report.outcome.measurement
        assert measurement is not None
        assert (measurement.peak_rss_bytes or 0) > report.result + 50 * 2**20
        measurement = worker.run("take", 0).outcome.measurement
        assert measurement is not None
        assert measurement.peak_rss_bytes is None


def test_the_cpu_time_of_children_is_measured(tmp_path: Path) -> None:
    source = """
        import subprocess
        @task
        def delegate():
            subprocess.run([sys.executable, "-c", "sum(range(3_000_000))"], check=True)
    """
    with DrivenWorker(tmp_path, source) as worker:
        measurement = worker.run("delegate").outcome.measurement
    assert measurement is not None
    assert measurement.child_cpu > measurement.cpu > 0
