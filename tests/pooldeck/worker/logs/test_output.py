"""What C code, children and what a task leaves behind write is kept, and whose it is is known."""

from pathlib import Path

import pytest

from tests.support.driven import DrivenWorker

C_CODE = """
    import ctypes, logging, subprocess, threading, time
    c = ctypes.CDLL(None)
    def wait(path):
        while not os.path.exists(path):
            time.sleep(0.01)
    @task
    def puts(text):
        c.puts(text.encode())
    @task
    def puts_and_waits(text, path):
        c.puts(text.encode())
        wait(path)
    @task
    def begins_and_waits(path):
        c.printf(b"solving ...")
        wait(path)
        c.printf(b" solved\\n")
    @task
    def leaves_child(path):
        subprocess.Popen(["sh", "-c", f"while [ ! -e {path} ]; do sleep 0.02; done; echo orphan"])
    @task
    def leaves_thread(path):
        def speak():
            wait(path)
            print("late")
            current_task().progress(0.5)
            print(current_task().cancelled, "end")
        threading.Thread(target=speak).start()
    def background():
        wait("speak")
        print("of the module")
    threading.Thread(target=background, daemon=True).start()
    @task
    def speaks_in_turn():
        print("first")
        c.puts(b"second")
        logging.warning("third")
        subprocess.run(["echo", "fourth"])
        print("fifth")
    @task
    def silent():
        pass
"""


@pytest.mark.parametrize("kind", ["process", "thread"])
def test_lines_of_c_code_are_heard_as_they_come_and_by_their_task_alone(
    tmp_path: Path, kind: str
) -> None:
    with DrivenWorker(tmp_path, C_CODE, kind=kind) as worker:
        assert worker.run("puts", "red").said == [("output", "red")]
        task = worker.submit("puts_and_waits", "green", "go")
        while not worker.so_far(task).said:
            worker.hear()
        (tmp_path / "go").touch()
        assert worker.report(task).said == [("output", "green")]
        assert worker.run("puts", "yellow").said == [("output", "yellow")]
        task = worker.submit("begins_and_waits", "go2")
        while not worker.so_far(task).said:
            worker.hear()
        (tmp_path / "go2").touch()
        lines = worker.report(task).lines
        assert [line.message for line in lines] == ["solving ...", "solving ... solved"]
        assert worker.own_lines == []


@pytest.mark.parametrize("kind", ["process", "thread"])
def test_what_python_c_code_and_children_say_in_turn_stands_in_order(
    tmp_path: Path, kind: str
) -> None:
    with DrivenWorker(tmp_path, C_CODE, kind=kind) as worker:
        messages = [message for _, message in worker.run("speaks_in_turn").said]
    assert messages == ["first", "second", "third", "fourth", "fifth"]


@pytest.mark.parametrize("kind", ["process", "thread"])
def test_what_comes_between_calls_is_in_the_workers_own_log(tmp_path: Path, kind: str) -> None:
    with DrivenWorker(tmp_path, C_CODE, kind=kind) as worker:
        worker.run("leaves_child", "go")
        (tmp_path / "go").touch()
        while not worker.own_lines:
            assert worker.run("silent").said == []
        (tmp_path / "speak").touch()
        while len(worker.own_lines) < 2:
            worker.hear()
    assert [(line.source, line.message, line.n) for line in worker.own_lines] == [
        ("output of jobs.leaves_child (task-1)", "orphan", 1),
        ("stdout", "of the module", 2),
    ]


@pytest.mark.parametrize("kind", ["process", "thread"])
def test_a_thread_that_outlives_its_task_speaks_to_the_workers_own_log(
    tmp_path: Path, kind: str
) -> None:
    with DrivenWorker(tmp_path, C_CODE, kind=kind) as worker:
        worker.run("leaves_thread", "go")
        (tmp_path / "go").touch()
        while len(worker.own_lines) < 2:
            worker.hear()
        assert worker.run("silent").said == []
    assert [(line.source, line.message) for line in worker.own_lines] == [
        ("stdout of jobs.leaves_thread (task-1)", "late"),
        ("stdout of jobs.leaves_thread (task-1)", "False end"),
    ]


def test_output_beside_another_call_of_a_thread_worker_is_in_its_own_log(tmp_path: Path) -> None:
    with DrivenWorker(tmp_path, C_CODE, kind="thread", slots=2) as worker:
        first = worker.submit("puts_and_waits", "alone", "go")
        while not worker.so_far(first).said:
            worker.hear()
        assert worker.run("puts", "beside").said == []
        while not worker.own_lines:
            worker.hear()
        (tmp_path / "go").touch()
        assert worker.report(first).said == [("output", "alone")]
        assert worker.run("puts", "alone again").said == [("output", "alone again")]
    assert [line.message for line in worker.own_lines] == ["beside"]


def test_a_program_that_opens_its_standard_error_anew_is_heard(tmp_path: Path) -> None:
    source = """
        import subprocess
        @task
        def speak(text):
            subprocess.run(["sh", "-c", f"echo {text} > /dev/stderr"])
    """
    with DrivenWorker(tmp_path, source) as worker:
        for text in ("one", "longer", "longed"):
            assert worker.run("speak", text).said == [("output", text)]


def test_an_unfinished_line_of_the_imports_is_in_the_workers_own_log(tmp_path: Path) -> None:
    with DrivenWorker(tmp_path, 'sys.stderr.write("connecting ...")') as worker:
        while not worker.own_lines:
            worker.hear()
    assert [line.message for line in worker.own_lines] == ["connecting ..."]


def test_the_output_file_stays_small(tmp_path: Path) -> None:
    source = """
        import time
        @task
        def flood():
            os.system("yes 2>/dev/null | head -c 3000000")
            while os.path.getsize("output") > 2**20:
                time.sleep(0.01)
    """
    with DrivenWorker(tmp_path, source, kind="thread", slots=2) as worker:
        assert worker.run("flood").lines[-1].n == 1_500_000
