"""A task that calls `os._exit` is named before the worker is gone, and its last words are kept."""

from pathlib import Path

import pytest

from pooldeck.protocol import Exiting, Finished, FromWorker, Started
from tests.support.driven import DrivenWorker

KINDS = pytest.mark.parametrize("kind", ["process", "thread"])

LEAVERS = """
    import contextvars, threading

    going = threading.Event()

    @task
    def leave(code):
        print("last words", end="")
        os._exit(code)

    @task
    def leave_after_a_child():
        os.system("echo said by a child")
        os._exit(3)

    @task
    def wait_for_ever():
        threading.Event().wait()

    @task
    def leave_in_a_child():
        pid = os.fork()
        if pid == 0:
            os._exit(7)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    @task
    def come_to_an_end(how):
        pid = os.fork()
        if pid:
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if how == "returns":
            return "child"
        exec(how)

    @task
    def leave_later():
        def wait_and_leave():
            going.wait()
            os._exit(3)
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(wait_and_leave,)).start()

    @task
    def let_it_go():
        going.set()
        threading.Event().wait()
"""


def rest_of(worker: DrivenWorker) -> list[FromWorker]:
    """Return what a worker says until its end."""
    said = []
    while True:
        try:
            said.append(worker.hear())
        except StopIteration:
            return said


@KINDS
def test_the_culprit_is_named_after_its_last_words(tmp_path: Path, kind: str) -> None:
    with DrivenWorker(tmp_path, LEAVERS, kind=kind, slots=2) as worker:
        if kind == "thread":
            worker.hear_of(worker.submit("wait_for_ever"), Started)
        culprit = worker.submit("leave", 3)
        assert rest_of(worker)[-1] == Exiting(culprit, 3)
        assert worker.so_far(culprit).said == [("stdout", "last words")]
        assert worker.process.wait(30) == 3


def test_what_a_child_of_the_culprit_said_is_kept(tmp_path: Path) -> None:
    with DrivenWorker(tmp_path, LEAVERS) as worker:
        culprit = worker.submit("leave_after_a_child")
        rest_of(worker)
        assert worker.so_far(culprit).said == [("output", "said by a child")]


@KINDS
def test_a_forked_child_that_leaves_is_nobodys_end(tmp_path: Path, kind: str) -> None:
    with DrivenWorker(tmp_path, LEAVERS, kind=kind) as worker:
        report = worker.run("leave_in_a_child")
    assert report.result == 7
    assert not any(isinstance(said, Exiting) for said in report.frames)


@KINDS
@pytest.mark.parametrize(
    ("how", "code"),
    [("returns", 0), ("sys.exit()", 0), ("sys.exit(3)", 3), ("sys.exit('bad')", 1), ("1 / 0", 1)],
)
def test_a_forked_child_that_comes_to_its_end_ends_as_a_program_does(
    tmp_path: Path, kind: str, how: str, code: int
) -> None:
    with DrivenWorker(tmp_path, LEAVERS, kind=kind) as worker:
        report = worker.run("come_to_an_end", how)
        assert report.result == code
        assert len([said for said in report.frames if isinstance(said, Finished)]) == 1
        assert worker.run("come_to_an_end", "returns").result == 0


def test_a_code_that_is_no_number_is_refused_as_ever(tmp_path: Path) -> None:
    with DrivenWorker(tmp_path, LEAVERS) as worker:
        report = worker.run("leave", "three")
    assert report.error.type == "TypeError"
    assert not any(isinstance(said, Exiting) for said in report.frames)


def test_a_thread_that_an_earlier_call_left_behind_names_that_call(tmp_path: Path) -> None:
    with DrivenWorker(tmp_path, LEAVERS) as worker:
        earlier = worker.submit("leave_later")
        worker.report(earlier)
        worker.submit("let_it_go")
        assert rest_of(worker)[-1] == Exiting(earlier, 3)
        assert worker.process.wait(30) == 3


LATE_SPEAKERS = """
    import atexit, logging, threading

    @task
    def speak_at_the_end():
        atexit.register(print, "said at the end")
        atexit.register(os.system, "echo said by a child")
        atexit.register(logging.getLogger("shop").warning, "logged at the end")
        atexit.register(lambda: 1 / 0)

    @task
    def stay():
        threading.Thread(target=threading.Event().wait, name="stays").start()
"""


@KINDS
def test_what_is_said_at_the_end_goes_to_the_workers_own_log(tmp_path: Path, kind: str) -> None:
    with DrivenWorker(tmp_path, LATE_SPEAKERS, kind=kind) as worker:
        worker.run("speak_at_the_end")
        worker.run("stay")
        assert worker.stop() == 0
        rest_of(worker)
        said = [line.message for line in worker.own_lines]
    assert "waited for no longer at the end: stays" in said
    assert {"said at the end", "said by a child", "ZeroDivisionError: division by zero"} < set(said)
    assert any("logged at the end" in line for line in said)
