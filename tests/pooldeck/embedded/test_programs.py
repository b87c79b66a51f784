"""`ProcessPool` in programs of its own: scripts, their exit, their death, their forks."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests import ROOT
from tests.support.programs import started

BOUND = 120.0  # seconds that anything may take
CONTEXTS = pytest.mark.parametrize("context", ["spawn", "forkserver"])

BEGINNING = """
import atexit, os, sys, time
from multiprocessing import get_context
from pooldeck import ProcessPool

def double(n):
    return 2 * n

def say(seconds, word):
    time.sleep(seconds)
    sys.stdout.write(word + chr(10))  # at once: print() takes two writes where nothing is buffered
    sys.stdout.flush()

def spin():
    print(os.getpid(), flush=True)
    while True:
        pass
"""


def program(folder: Path, source: str) -> list[str]:
    path = folder / "program.py"
    path.write_text(BEGINNING + textwrap.dedent(source))
    return [sys.executable, str(path)]


def completed(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=BOUND, check=False)


def run(folder: Path, source: str) -> subprocess.CompletedProcess[str]:
    return completed(program(folder, source))


def eventually(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + BOUND
    while not is_so():
        assert time.monotonic() < until, "it did not come to be"
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def temporary_folder(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the programs have their temporary files."""
    folder = tempfile.mkdtemp()  # a short path: a forkserver has its socket in there
    monkeypatch.setenv("TMPDIR", folder)
    return Path(folder)


@CONTEXTS
def test_functions_of_a_script_can_be_called(context: str, tmp_path: Path) -> None:
    source = f"""
        if __name__ == "__main__":
            with ProcessPool(2, get_context("{context}")) as pool:
                print(list(pool.map(double, range(5), chunksize=2)))
    """
    ended = run(tmp_path, source)
    assert (ended.stdout, ended.stderr, ended.returncode) == ("[0, 2, 4, 6, 8]\n", "", 0)


@CONTEXTS
@pytest.mark.parametrize("ending", ["", "pool.shutdown(wait=False)", "del pool"])
def test_a_program_ends_when_its_calls_have_ended(
    context: str, ending: str, tmp_path: Path, temporary_folder: Path
) -> None:
    source = f"""
        if __name__ == "__main__":
            pool = ProcessPool(2, get_context("{context}"))
            for n in range(3):
                pool.submit(say, 0.2, "apple")
            {ending}
    """
    ended = run(tmp_path, source)
    assert (ended.stdout, ended.stderr, ended.returncode) == ("apple\n" * 3, "", 0)
    assert list(temporary_folder.glob("pooldeck-*")) == []


def test_a_crash_while_the_program_ends_holds_nothing_up(tmp_path: Path) -> None:
    source = """
        if __name__ == "__main__":
            pool = ProcessPool(1)
            pool.submit(os._exit, 1)
            pool.submit(say, 0, "apple")
    """
    ended = run(tmp_path, source)
    assert (ended.stdout, ended.stderr, ended.returncode) == ("apple\n", "", 0)


@pytest.mark.parametrize("used", ["pool", "ProcessPool(1)"])
def test_nothing_can_be_submitted_when_the_interpreter_has_ended(used: str, tmp_path: Path) -> None:
    source = f"""
        def too_late():
            try:
                pool.submit(double, 2)
            except RuntimeError as error:
                print(error)

        if __name__ == "__main__":
            atexit.register(too_late)
            pool = ProcessPool(1)
            {used}.submit(double, 1).result()
    """
    ended = run(tmp_path, source)
    assert ended.stdout == "cannot schedule new futures after interpreter shutdown\n"
    assert (ended.stderr, ended.returncode) == ("", 0)


def test_a_script_without_its_guard_is_told_so_and_ends(tmp_path: Path) -> None:
    ended = run(tmp_path, "print(ProcessPool(1).submit(double, 2).result())")
    assert ended.returncode == 1
    assert "BrokenProcessPool: No calls are run any more" in ended.stderr
    assert "if __name__ == '__main__'" in ended.stderr


@CONTEXTS
def test_workers_do_not_outlive_a_program_that_is_killed(context: str, tmp_path: Path) -> None:
    source = f"""
        if __name__ == "__main__":
            pool = ProcessPool(2, get_context("{context}"))
            pool.submit(double, 1).result()
            pool.submit(spin)
            pool.submit(spin)
            time.sleep(600)
    """
    with started(program(tmp_path, source), stdout=subprocess.PIPE, text=True) as ours:
        assert ours.stdout is not None
        workers = [psutil.Process(int(ours.stdout.readline())) for _ in range(2)]
        ours.kill()
        gone, alive = psutil.wait_procs(workers, timeout=BOUND)
        assert (len(gone), alive) == (2, [])


def test_ctrl_c_reaches_the_program_and_not_its_workers(tmp_path: Path) -> None:
    source = """
        if __name__ == "__main__":
            pool = ProcessPool(1)
            call = pool.submit(say, 4.0, "apple")  # longer than a machine may pause
            try:
                while not call.running():
                    time.sleep(0.01)
                print("running", flush=True)
                time.sleep(600)
            except KeyboardInterrupt:
                print("interrupted", flush=True)
    """
    command = program(tmp_path, source)
    with started(command, stdout=subprocess.PIPE, text=True) as ours:
        assert ours.stdout is not None
        assert ours.stdout.readline() == "running\n"
        os.killpg(ours.pid, signal.SIGINT)
        assert ours.stdout.read() == "interrupted\napple\n"
        assert ours.wait(BOUND) == 0


def test_a_forked_child_is_refused_and_the_parent_goes_on(tmp_path: Path) -> None:
    source = """
        if __name__ == "__main__":
            pool = ProcessPool(1)
            pool.submit(double, 1).result()
            child = os.fork()
            if child == 0:
                try:
                    pool.submit(double, 2)
                except RuntimeError as error:
                    print(error, flush=True)
                sys.exit(3)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            print(pool.submit(double, 21).result())
    """
    ended = run(tmp_path, source)
    refused = "this pool belongs to the parent of this forked process"
    assert ended.stdout.splitlines() == [refused, "3", "42"]


def test_a_pool_under_a_server_leaves_the_marks_of_the_server(tmp_path: Path) -> None:
    source = """
        def marks():
            return os.environ["POOLDECK_BOOT"], os.environ["POOLDECK_WORKER"]

        if __name__ == "__main__":
            with ProcessPool(1) as pool:
                print(*pool.submit(marks).result())
            os.environ |= {"POOLDECK_BOOT": "b", "POOLDECK_WORKER": "w-1"}
            with ProcessPool(1) as pool:
                print(*pool.submit(marks).result())
    """
    own, servers = run(tmp_path, source).stdout.splitlines()
    assert own.endswith(" pool-1")
    assert servers == "b w-1"


def test_the_example_of_the_documents_runs(tmp_path: Path) -> None:
    document = ROOT / "docs" / "executor.md"
    [example] = re.findall(r"```python\n(.*?)```", document.read_text(), re.DOTALL)
    (tmp_path / "example.py").write_text(example)
    ended = completed([sys.executable, str(tmp_path / "example.py")])
    assert (ended.stderr, ended.returncode) == ("", 0)
    squares, crash, late, killed, workers, last = ended.stdout.splitlines()
    assert squares == "[0, 1, 4, 9, 16]"
    assert "exited with code 1" in crash
    assert late.startswith("too late: ")
    assert killed == "killed"
    assert "idle" in workers or "starting" in workers
    assert last == "81"
