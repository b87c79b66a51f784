"""A worker protects itself, and the next task, from what a task does to the process."""

import os
import resource
import signal
import sys
from pathlib import Path

import pytest

from pooldeck.worker.descriptors import lift
from tests.support.driven import DrivenWorker


def test_a_task_that_closes_descriptors_does_not_break_the_pipe(tmp_path: Path) -> None:
    source = """
        @task
        def tidy_up():
            os.closerange(0, 1000)
        @task
        def speak():
            os.system("echo still here")
    """
    with DrivenWorker(tmp_path, source) as worker:
        worker.run("tidy_up")
        assert worker.run("speak").said == [("output", "still here")]


@pytest.mark.parametrize("kind", ["process", "thread"])
def test_a_worker_that_lost_all_its_descriptors_ends_instead_of_hanging(
    tmp_path: Path, kind: str
) -> None:
    source = """
        import threading
        @task
        def wreck():
            threading.Thread(target=threading.Event().wait).start()
            os.closerange(0, 100_000)
    """
    with DrivenWorker(tmp_path, source, kind=kind) as worker:
        worker.submit("wreck")
        worker.process.wait(30)


def test_descriptors_are_lifted_as_high_as_the_limit_allows() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        lifted = lift(os.open(os.devnull, os.O_RDONLY))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert 200 < lifted < 256
    assert not os.get_inheritable(lifted)
    os.close(lifted)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be told whom to take first")
def test_the_kernel_takes_a_worker_before_the_server(tmp_path: Path) -> None:
    source = """
        @task
        def score():
            return int(open("/proc/self/oom_score_adj").read())
    """
    with DrivenWorker(tmp_path, source) as worker:
        assert worker.run("score").result == 500


def test_a_task_finds_directory_and_mask_as_they_were_at_the_start(tmp_path: Path) -> None:
    source = """
        import tempfile
        @task
        def wander():
            with tempfile.TemporaryDirectory() as gone:
                os.chdir(gone)
            os.umask(0o777)
        @task
        def where():
            return [os.getcwd(), os.umask(0)]
    """
    with DrivenWorker(tmp_path, source) as worker:
        before = worker.run("where").result
        worker.run("wander")
        assert worker.run("where").result == before
    assert before[0] == str(tmp_path)


def test_a_child_of_a_task_does_not_hold_the_pipe_open(tmp_path: Path) -> None:
    source = """
        import subprocess
        @task
        def start_child():
            return subprocess.Popen(["sleep", "60"]).pid
        @task
        def fork():
            pid = os.fork()
            if pid == 0:
                os.execvp("sleep", ["sleep", "60"])
            return pid
    """
    with DrivenWorker(tmp_path, source) as worker:
        children = [worker.run(function).result for function in ("start_child", "fork")]
        worker.stop()
        try:
            with pytest.raises(StopIteration):
                worker.hear()
        finally:
            for child in children:
                os.kill(child, signal.SIGKILL)


def test_an_interrupt_from_the_keyboard_does_not_reach_a_task(tmp_path: Path) -> None:
    source = """
        import signal
        @task
        def interrupted():
            signal.raise_signal(signal.SIGINT)
            return "still here"
    """
    with DrivenWorker(tmp_path, source) as worker:
        assert worker.run("interrupted").result == "still here"


def test_standard_input_is_empty(tmp_path: Path) -> None:
    source = """
        @task
        def read():
            return sys.stdin.read()
    """
    with DrivenWorker(tmp_path, source) as worker:
        assert worker.run("read").result == ""


def test_a_segfault_leaves_its_traceback_in_the_fault_file(tmp_path: Path) -> None:
    source = """
        import faulthandler
        @task
        def crash():
            faulthandler._sigsegv()
    """
    with DrivenWorker(tmp_path, source) as worker:
        worker.submit("crash")
        assert worker.process.wait(30) == -signal.SIGSEGV
        assert "in crash" in worker.fault.read_text()


def test_exceptions_are_not_kept_alive(tmp_path: Path) -> None:
    source = """
        import weakref, gc
        gc.disable()
        class Big: ...
        refs = []
        @task
        def fail():
            big = Big()
            refs.append(weakref.ref(big))
            raise ValueError(big)
        @task
        def alive():
            return [ref() is not None for ref in refs]
    """
    with DrivenWorker(tmp_path, source) as worker:
        worker.run("fail")
        assert worker.run("alive").result == [False]
