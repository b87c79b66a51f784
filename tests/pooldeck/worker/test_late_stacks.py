"""A worker that takes too long to end writes down where it is, and is none the worse for it."""

from pathlib import Path

import pytest

from pooldeck.protocol import Stop
from tests.support.driven import DrivenWorker, wait_until

LATE_ENDS = """
    import atexit, ctypes, time

    def compute():
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            pass

    def hold_the_gil():
        ctypes.PyDLL(None).sleep(20)

    @task
    def end_with(function):
        atexit.register(globals()[function])
"""


def stacks_of(worker: DrivenWorker, function: str) -> str:
    """Return what a worker writes that a function holds up at its end."""
    worker.run("end_with", function)
    worker.send(Stop())
    return wait_until(
        lambda: text if f"in {function}\n" in (text := worker.fault.read_text()) else ""
    )


@pytest.mark.parametrize("kind", ["process", "thread"])
def test_stacks_that_change_are_read_by_a_thread_that_has_the_gil(
    tmp_path: Path, kind: str
) -> None:
    with DrivenWorker(tmp_path, LATE_ENDS, kind=kind) as worker:
        assert "Current thread" in stacks_of(worker, "compute")
        assert worker.process.wait(30) == 0
        assert worker.fault.read_text() == ""


def test_where_c_code_holds_the_gil_stacks_are_read_without_it(tmp_path: Path) -> None:
    with DrivenWorker(tmp_path, LATE_ENDS) as worker:
        assert "Current thread" not in stacks_of(worker, "hold_the_gil")
