"""What a task prints, logs and reports reaches the supervisor: all of it, bounded, as its own."""

from pathlib import Path

import pytest

from pooldeck.protocol import Finished, Limits, Log, Progress
from tests.support.driven import DrivenWorker


def said_by(folder: Path, source: str, limits: Limits | None = None) -> list[tuple[str, str]]:
    """Run the function `speak` of a module and return its log as (source, message)."""
    with DrivenWorker(folder, source, limits=limits) as worker:
        return worker.run("speak").said


def test_a_task_that_prints_finds_it_in_its_log(tmp_path: Path) -> None:
    source = """
        @task
        def speak():
            print("one\\ntwo", "words")
            print("an error", file=sys.stderr)
            print("no newline", end="")
    """
    with DrivenWorker(tmp_path, source) as worker:
        lines = worker.run("speak").lines
    assert [(line.level, line.source, line.message) for line in lines] == [
        ("INFO", "stdout", "one"),
        ("INFO", "stdout", "two words"),
        ("WARNING", "stderr", "an error"),
        ("INFO", "stdout", "no newline"),
    ]
    assert lines[0].at <= lines[-1].at


def test_log_records_keep_level_logger_and_traceback(tmp_path: Path) -> None:
    source = """
        import logging
        @task
        def speak():
            log = logging.getLogger("acme.jobs")
            log.debug("too fine")
            log.info("took %d items", 3)
            try:
                1 / 0
            except ZeroDivisionError:
                log.exception("failed")
    """
    with DrivenWorker(tmp_path, source) as worker:
        info, failed = worker.run("speak").lines
    assert (info.level, info.source, info.message) == ("INFO", "acme.jobs", "took 3 items")
    assert failed.level == "ERROR"
    assert failed.message.startswith("failed\nTraceback")
    assert failed.message.endswith("ZeroDivisionError: division by zero")


def test_a_record_that_cannot_be_formatted_does_not_disturb_the_task(tmp_path: Path) -> None:
    source = """
        import logging
        @task
        def speak():
            logging.warning("%d items", "three")
    """
    said = said_by(tmp_path, source)
    assert ("stderr", "--- Logging error ---") in said


def test_output_of_child_processes_and_c_code_is_in_the_log(tmp_path: Path) -> None:
    source = """
        import subprocess
        @task
        def speak():
            subprocess.run(["echo", "from a child"], check=True)
            os.write(2, b"bytes \\xff\\n")
            sys.stdout.buffer.write("past the text layer é\\n".encode())
    """
    assert said_by(tmp_path, source) == [
        ("output", "from a child"),
        ("output", "bytes \ufffd"),
        ("stdout", "past the text layer é"),
    ]


def test_bytes_for_a_stream_and_what_wraps_it_are_the_tasks_beside_others(tmp_path: Path) -> None:
    source = """
        import io
        @task
        def waits(path):
            while not os.path.exists(path):
                pass
        @task
        def speak():
            for byte in "é\\n".encode():
                sys.stdout.buffer.write(bytes([byte]))
            sys.stderr = io.TextIOWrapper(sys.stderr.buffer, "utf-8")
            print("wrapped", file=sys.stderr)
    """
    with DrivenWorker(tmp_path, source, kind="thread", slots=2) as worker:
        company = worker.submit("waits", "go")
        assert worker.run("speak").said == [("stdout", "é"), ("stderr", "wrapped")]
        (tmp_path / "go").touch()
        worker.report(company)
        assert worker.own_lines == []


def test_a_child_that_python_forked_can_print_and_report(tmp_path: Path) -> None:
    source = """
        import multiprocessing
        def child():
            print("in the child of", current_task().id)
            current_task().progress(0.5)
        @task
        def speak():
            process = multiprocessing.get_context("fork").Process(target=child)
            process.start()
            process.join()
    """
    assert said_by(tmp_path, source) == [
        ("output", "in the child of task-1"),
        ("output", "INFO pooldeck.context: progress: 50%"),
    ]


def test_a_thread_of_a_task_is_heard(tmp_path: Path) -> None:
    source = """
        import contextvars, threading
        @task
        def speak():
            copied = contextvars.copy_context()
            for run in (lambda: copied.run(print, "with context"), lambda: print("without")):
                thread = threading.Thread(target=run)
                thread.start()
                thread.join()
    """
    assert said_by(tmp_path, source) == [("stdout", "with context"), ("stdout", "without")]


def test_lone_surrogates_in_a_log_are_escaped(tmp_path: Path) -> None:
    source = """
        @task
        def speak():
            print("half a pair: \\ud83d")
    """
    assert said_by(tmp_path, source) == [("stdout", "half a pair: \\ud83d")]


def test_a_progress_bar_is_one_line(tmp_path: Path) -> None:
    source = """
        @task
        def speak():
            for percent in range(101):
                print(f"\\r{percent} %", end="")
            print()
    """
    assert said_by(tmp_path, source) == [("stdout", "100 %")]


BARS = """
    def draw(stream, row, text):
        for piece in ("\\n" * row, "\\r" + text, "", "\\x1b[A" * row):
            stream.write(piece)
    @task
    def nested():
        for outer in range(30):
            for inner in range(30):
                draw(sys.stderr, 1, f"inner {inner}")
            draw(sys.stderr, 0, f"outer {outer}")
        print(file=sys.stderr)
        print("done", file=sys.stderr)
    @task
    def redrawn():
        sys.stdout.write("A 0\\nB 0")
        for step in range(1, 30):
            sys.stdout.write(f"\\r\\x1b[2K\\x1b[1A\\x1b[2KA {step}\\nB {step}")
        print("\\nafter")
    @task
    def interrupted():
        for _ in range(2):
            draw(sys.stdout, 0, "outer")
            draw(sys.stdout, 1, "inner")
            print("a message")
"""


def test_progress_bars_one_below_the_other_are_a_line_each(tmp_path: Path) -> None:
    with DrivenWorker(tmp_path, BARS) as worker:
        messages = [message for _, message in worker.run("nested").said]
        assert messages == ["", "inner 29", "outer 29", "done"]
        messages = [message for _, message in worker.run("redrawn").said]
        assert messages == ["A 0", "B 29", "\x1b[2KA 29", "after"]


def test_what_is_said_between_such_bars_stands_for_itself(tmp_path: Path) -> None:
    with DrivenWorker(tmp_path, BARS) as worker:
        messages = [message for _, message in worker.run("interrupted").said]
    assert messages == ["outer", "inner", "a message"] * 2


def test_one_long_message_is_cut(tmp_path: Path) -> None:
    source = """
        @task
        def speak():
            current_task().log("x" * 5000)
    """
    ((_, message),) = said_by(tmp_path, source, Limits(message_bytes=1000))
    assert message == "x" * 1000 + " ... (cut)"


@pytest.mark.parametrize("how", ["print('now')", "os.system('echo now')"])
def test_a_running_task_is_heard_before_it_ends(tmp_path: Path, how: str) -> None:
    source = f"""
        import threading
        @task
        def speak():
            {how}
            threading.Event().wait()
    """
    with DrivenWorker(tmp_path, source) as worker:
        worker.submit("speak")
        worker.hear()
        said = worker.hear()
    assert isinstance(said, Log)
    assert [line.message for line in said.lines] == ["now"]


def test_what_a_task_leaves_in_the_streams_is_not_the_next_ones(tmp_path: Path) -> None:
    source = """
        print("while importing")
        sys.stdout.flush()
        @task
        def speak():
            sys.stdout.buffer.write(b"mine")
        @task
        def be_silent():
            pass
    """
    with DrivenWorker(tmp_path, source) as worker:
        assert worker.run("speak").said == [("stdout", "mine")]
        assert worker.run("be_silent").said == []


def test_a_task_that_closes_its_streams_spoils_nothing(tmp_path: Path) -> None:
    source = """
        @task
        def speak():
            sys.stdout.close()
            sys.stderr = None
        @task
        def again():
            print("heard")
            print("as well", file=sys.stderr)
            sys.stdout.buffer.write(b"and this")
    """
    with DrivenWorker(tmp_path, source) as worker:
        worker.run("speak")
        said = worker.run("again").said
    assert said == [("stdout", "heard"), ("stderr", "as well"), ("stdout", "and this")]


def test_the_last_progress_comes_before_the_end(tmp_path: Path) -> None:
    source = """
        @task
        def advance():
            for step in range(1001):
                current_task().progress(step / 1000, f"step {step}")
    """
    with DrivenWorker(tmp_path, source) as worker:
        report = worker.run("advance")
    assert report.progress[-1] == Progress("task-1", 1.0, "step 1000")
    assert len(report.progress) < 10
    assert isinstance(report.frames[-1], Finished)


def test_the_function_can_ask_who_it_is(tmp_path: Path) -> None:
    source = """
        import asyncio
        def describe():
            task = current_task()
            return [task.id, task.attempt, task.function, task.pool, task.worker,
                    task.deadline, task.cancelled]
        @task
        def plain():
            return describe()
        @task
        async def asynchronous():
            return await asyncio.to_thread(describe)
    """
    with DrivenWorker(tmp_path, source) as worker:
        plain = worker.run("plain").result
        asynchronous = worker.run("asynchronous").result
    assert plain == ["task-1", 1, "jobs.plain", "p", "w-1", None, False]
    assert asynchronous == ["task-2", 1, "jobs.asynchronous", "p", "w-1", None, False]
