"""How a worker starts: what it loads, and how it says that it cannot."""

from pathlib import Path

import pytest

from tests.support.driven import DrivenWorker


def test_a_ready_worker_describes_its_functions(tmp_path: Path) -> None:
    source = """
        @task(pool="cpu", priority=3)
        def shrink(path: str, width: int = 256) -> str:
            '''Shrink a picture.'''
    """
    with DrivenWorker(tmp_path, source) as worker:
        assert worker.ready.pid == worker.process.pid
        (spec,) = worker.ready.functions
    assert (spec.name, spec.doc, spec.options.pool) == ("jobs.shrink", "Shrink a picture.", "cpu")
    assert spec.signature == "(path: str, width: int = 256) -> str"


def test_the_initializer_runs_once_and_before_the_first_call(tmp_path: Path) -> None:
    source = """
        calls = []
        def connect():
            calls.append("connected")
        @task
        def seen():
            return calls
    """
    with DrivenWorker(tmp_path, source, initializer="jobs.connect") as worker:
        worker.run("seen")
        assert worker.run("seen").result == ["connected"]


@pytest.mark.parametrize(
    ("source", "error_type", "message"),
    [
        ("import no_such_module", "ModuleNotFoundError", "No module named 'no_such_module'"),
        ("raise ValueError('broken')", "ValueError", "broken"),
        ("sys.exit('gone')", "SystemExit", "gone"),
        ("def x(:", "SyntaxError", "invalid syntax"),
    ],
)
def test_a_module_that_cannot_be_imported_is_reported(
    tmp_path: Path, source: str, error_type: str, message: str
) -> None:
    with DrivenWorker(tmp_path, source) as worker:
        error = worker.unready.error
        assert worker.process.wait(30) == 1
    assert error.type == error_type
    assert message in error.message
    assert error.traceback is not None
    assert "pooldeck" not in error.traceback


def test_a_failing_start_brings_along_what_was_printed(tmp_path: Path) -> None:
    source = """
        print("about to fail")
        os.system("echo said by a child")
        def connect():
            raise ConnectionError("nobody there")
    """
    with DrivenWorker(tmp_path, source, initializer="jobs.connect") as worker:
        assert worker.unready.error.type == "ConnectionError"
        assert worker.unready.output == "about to fail\nsaid by a child\n"


@pytest.mark.parametrize(
    ("initializer", "message"),
    [("jobs.absent", "is not a function"), ("jobs.dial", "is async")],
)
def test_an_initializer_that_cannot_be_run_is_reported(
    tmp_path: Path, initializer: str, message: str
) -> None:
    source = "async def dial(): ..."
    with DrivenWorker(tmp_path, source, initializer=initializer) as worker:
        assert message in worker.unready.error.message


def test_two_functions_of_one_name_are_refused_with_both_places(tmp_path: Path) -> None:
    source = """
        @task(name="twin")
        def first(): ...
        @task(name="twin")
        def second(): ...
    """
    with DrivenWorker(tmp_path, source) as worker:
        message = worker.unready.error.message
    assert "jobs.first (line " in message
    assert "jobs.second (line " in message


def test_modules_come_from_the_working_directory_but_cannot_replace_the_worker(
    tmp_path: Path,
) -> None:
    (tmp_path / "pooldeck").mkdir()
    (tmp_path / "pooldeck" / "__init__.py").write_text("raise SystemExit('the wrong one')")
    (tmp_path / "helper.py").write_text("answer = 42")
    source = """
        import helper
        @task
        def answer():
            return helper.answer
    """
    with DrivenWorker(tmp_path, source) as worker:
        assert worker.run("answer").result == 42
