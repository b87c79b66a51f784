"""CPython's own tests of process executors, run with `ProcessPool`.

Left out are those that look at what is private
in `ProcessPoolExecutor`, each with its reason. `make test` runs them where workers are spawned.
"""

import sys
from collections.abc import Iterator
from typing import Final

import pytest

from pooldeck.executor import ProcessPool
from tests.support.stdlib_tests import NAME, STDLIB

SUITES: Final = (
    "AsCompletedTests",
    "WaitTests",
    "ProcessPoolExecutorTest",
    "InitializerMixin",
    "FailingInitializerMixin",
    "ProcessPoolShutdownTest",
    "ExecutorDeadlockTest",
)

_PROCESSES: Final = "counts the private `_processes`"
_ELSEWHERE: Final = "imports the class by its name from concurrent.futures in another program"
_STDLIB: Final = "tests concurrent.futures.ProcessPoolExecutor itself, whatever the executor is"
LEFT_OUT: Final = {
    "test_killed_child": "wants the whole pool to break when a private process is killed",
    "test_saturation": _PROCESSES,
    "test_idle_process_reuse_one": _PROCESSES,
    "test_idle_process_reuse_multiple": _PROCESSES,
    "test_max_tasks_per_child": _PROCESSES,
    "test_processes_terminate": _PROCESSES,
    "test_context_manager_shutdown": _STDLIB,
    "test_del_shutdown": _STDLIB,
    "test_shutdown_no_wait": _STDLIB,
    "test_interpreter_shutdown": _ELSEWHERE,
    "test_submit_after_interpreter_shutdown": _ELSEWHERE,
    "test_hang_gh83386": _ELSEWHERE,
    "test_shutdown_deadlock_pickle": "joins the private `_executor_manager_thread`",
    "test_gh105829_should_not_deadlock_if_wakeup_pipe_full": "replaces a private class",
    "test_python_finalization_error": "counts on the threads that the executor starts",
}


def suite(name: str, context: str) -> type:
    """Return a class of the standard library's tests for `ProcessPool`."""
    mixin = STDLIB[name]
    without = {left: None for left in LEFT_OUT if hasattr(mixin, left)}
    with_pool = {"executor_type": ProcessPool, "ctx": context, "__module__": __name__}
    bases = (mixin, STDLIB["ExecutorMixin"], STDLIB["BaseTestCase"])
    return type(f"{context}{name}", bases, without | with_pool)


if STDLIB:
    for _name in SUITES:
        globals()[f"spawn{_name}"] = suite(_name, "spawn")
        globals()[f"forkserver{_name}"] = pytest.mark.soak(suite(_name, "forkserver"))


@pytest.fixture(autouse=True)
def no_main_script(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the workers the import of pytest, the program that they come from."""
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)


@pytest.fixture(autouse=True)
def tidiness() -> Iterator[None]:
    """Hold each test to what the standard library's own runner looks at: nothing is left."""
    if STDLIB:
        STDLIB["support"].environment_altered = False  # by a test before this one
    yield
    if STDLIB:
        assert not STDLIB["support"].environment_altered


def test_the_standard_library_tests_are_there() -> None:
    if not STDLIB:
        pytest.skip(f"no Python here has a {NAME} that fits this one")
    known = {name for suite in SUITES for name in dir(STDLIB[suite])}
    assert {"test_submit", "test_map", "test_traceback", "test_cancel_futures"} <= known
