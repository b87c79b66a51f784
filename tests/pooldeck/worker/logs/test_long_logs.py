"""Of a long log both ends and the errors are kept; what is not finished is heard, too."""

from pathlib import Path

from pooldeck.protocol import Limits
from tests.support.driven import DrivenWorker


def said_by(folder: Path, source: str, limits: Limits) -> list[tuple[str, str]]:
    """Run the function `speak` of a module and return its log as (source, message)."""
    with DrivenWorker(folder, source, limits=limits) as worker:
        return worker.run("speak").said


def test_of_a_flood_of_lines_both_ends_are_kept_and_the_gap_is_known(tmp_path: Path) -> None:
    source = """
        @task
        def speak():
            for n in range(1, 100_001):
                print(n)
    """
    with DrivenWorker(tmp_path, source, limits=Limits(log_lines=500)) as worker:
        lines = worker.run("speak").lines
    assert [line.n for line in lines[:250]] == list(range(1, 251))
    assert [line.n for line in lines[-250:]] == list(range(99_751, 100_001))
    assert all(line.message == str(line.n) for line in lines)
    assert len(lines) < 5000


def test_of_a_flood_of_bytes_both_ends_are_kept(tmp_path: Path) -> None:
    source = """
        @task
        def speak():
            os.system("seq 100000 130000; seq 1000000 1299999; seq 200000 230000")
    """
    with DrivenWorker(tmp_path, source, limits=Limits(log_bytes=10_000)) as worker:
        lines = worker.run("speak").lines
    assert [line.message for line in lines[:800]] == [str(n) for n in range(100_000, 100_800)]
    assert [line.message for line in lines[-800:]] == [str(n) for n in range(229_201, 230_001)]
    assert lines[-1].n == 30_001 + 300_000 + 30_001


def test_an_error_in_a_flood_is_kept(tmp_path: Path) -> None:
    source = """
        import logging
        @task
        def speak():
            for n in range(30):
                print("\\n".join(str(row) for row in range(1000)))
                logging.error("error %d", n)
    """
    limits = Limits(log_lines=100, log_errors=3)
    with DrivenWorker(tmp_path, source, limits=limits) as worker:
        lines = worker.run("speak").lines
    errors = [line.message for line in lines if line.level == "ERROR"]
    assert errors[:3] == ["error 0", "error 1", "error 2"]
    assert errors[-3:] == ["error 27", "error 28", "error 29"]
    assert lines == sorted(lines, key=lambda line: line.n)


def test_a_log_at_its_bound_is_whole(tmp_path: Path) -> None:
    source = """
        @task
        def speak():
            for n in range(1000):
                print(n)
    """
    said = said_by(tmp_path, source, Limits(log_lines=1000))
    assert said == [("stdout", str(n)) for n in range(1000)]


def test_a_slow_log_over_its_bound_is_heard_while_it_is_written(tmp_path: Path) -> None:
    source = """
        import threading
        @task
        def speak():
            for n in range(20):
                print(n)
            threading.Event().wait()
    """
    with DrivenWorker(tmp_path, source, limits=Limits(log_lines=10)) as worker:
        task = worker.submit("speak")
        while not (said := worker.so_far(task).said) or said[-1] != ("stdout", "19"):
            worker.hear()
    assert [message for _, message in said] == [*map(str, range(5)), *map(str, range(15, 20))]


def test_an_unfinished_line_is_heard_and_replaced_under_its_number(tmp_path: Path) -> None:
    source = """
        import time
        @task
        def speak():
            print("connecting ...", end="")
            sys.stderr.write("meanwhile\\n")
            while not os.path.exists("go"):
                time.sleep(0.01)
            print(" connected")
    """
    with DrivenWorker(tmp_path, source) as worker:
        task = worker.submit("speak")
        while not worker.so_far(task).lines:
            worker.hear()
        opened, other = worker.so_far(task).lines
        (tmp_path / "go").touch()
        closed = worker.report(task).lines[-1]
    assert (opened.message, opened.n, opened.is_open) == ("connecting ...", 1, True)
    assert (other.message, other.n, other.is_open) == ("meanwhile", 2, False)
    assert (closed.message, closed.n, closed.is_open) == ("connecting ... connected", 1, False)


def test_a_progress_bar_moves_as_one_open_line(tmp_path: Path) -> None:
    source = """
        import time
        @task
        def speak():
            for percent in range(0, 101, 10):
                sys.stderr.write(f"\\r{percent} %")
                time.sleep(0.15)
    """
    with DrivenWorker(tmp_path, source) as worker:
        lines = worker.run("speak").lines
    assert {line.n for line in lines} == {1}
    assert len({line.message for line in lines}) > 2
    assert (lines[-1].message, lines[-1].is_open) == ("100 %", False)
