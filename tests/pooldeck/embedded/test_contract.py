"""CPython's own tests of process executors, run with `ProcessPool`.

They come from `test.test_concurrent_futures` of this Python or, since many installations leave it
out, of another Python that is installed beside it. Left out are those that look at what is private
in `ProcessPoolExecutor`, each with its reason. `make test` runs them where workers are spawned.
"""

import importlib
import sys
import sysconfig
import unittest
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

from pooldeck.executor import ProcessPool

NAME: Final = "test_concurrent_futures"
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


def folders() -> Iterator[Path]:
    """Yield the folders of tests of this Python and of those installed beside it."""
    own = Path(sysconfig.get_path("stdlib"))
    yield own / "test"
    installed = Path(sys.base_prefix).parent
    yield from sorted(installed.glob("*/lib/python3.*/test"), reverse=True)


def load(folder: Path) -> list[ModuleType]:
    """Import the tests in a folder; they may not fit this Python."""
    sys.path.append(str(folder))  # workers get the path, and find the functions of the tests
    try:
        found = importlib.import_module(NAME)
        parts = sorted(Path(found.__path__[0]).glob("*.py")) if hasattr(found, "__path__") else []
        return [found, *(importlib.import_module(f"{NAME}.{part.stem}") for part in parts)]
    except (ImportError, AttributeError, unittest.SkipTest):
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
            del sys.modules[name]
        return []


def first_that_fits() -> dict[str, Any]:
    """Return what the tests of the first Python that fits define."""
    for folder in folders():
        if modules := load(folder):
            return {name: value for module in modules for name, value in vars(module).items()}
    return {}


STDLIB: Final = first_that_fits()


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
    yield
    if STDLIB:
        assert not STDLIB["support"].environment_altered


def test_the_standard_library_tests_are_there() -> None:
    if not STDLIB:
        pytest.skip(f"no Python here has a {NAME} that fits this one")
    known = {name for suite in SUITES for name in dir(STDLIB[suite])}
    assert {"test_submit", "test_map", "test_traceback", "test_cancel_futures"} <= known
