"""The process state of a worker: prepared before its tasks, restored after each of them."""

import contextlib
import faulthandler
import os
import signal
import sys
from pathlib import Path

from pooldeck.protocol import STACK_SIGNAL
from pooldeck.worker.descriptors import lift

_OOM_SCORE = "500"  # of 1000: the kernel takes a worker before the server
_DIRECTORY = getattr(os, "O_PATH", os.O_RDONLY)  # where it exists, it needs no right to read


def prepare(fault_path: str | None, stack_path: str | None) -> None:
    """Prepare signals, crash reports, and the kernel's choice when memory runs out.

    Called before any thread is started: threads inherit which signals are blocked. Crashes write
    their Python traceback to `fault_path`, `STACK_SIGNAL` the stacks of all threads to
    `stack_path`.
    """
    # A handler that does nothing, and not SIG_IGN, which child processes would inherit.
    signal.signal(signal.SIGINT, lambda _number, _frame: None)
    if fault_path is not None:
        faulthandler.enable(_opened(fault_path))
    signal.pthread_sigmask(signal.SIG_BLOCK, {STACK_SIGNAL})
    faulthandler.register(STACK_SIGNAL, _opened(stack_path or os.devnull))
    with contextlib.suppress(OSError):  # other systems than Linux have no such file
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE)
    _yield_to_server()


def _opened(path: str) -> int:
    return lift(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600))


def _yield_to_server() -> None:
    """Make this a batch process, where the kernel knows such.

    It gets its share of the CPU as before, but does not push the server off it at the very moment
    that the server wakes it with a call.
    """
    if hasattr(os, "SCHED_BATCH"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def open_import_path() -> None:
    """Let the user's modules be found: first in the working directory, then on PYTHONPATH.

    Only after Pooldeck's own imports, so that nothing there can take their place.
    """
    pythonpath = os.environ.get("PYTHONPATH")
    named = pythonpath.split(os.pathsep) if pythonpath else []
    theirs = [os.path.abspath(entry) for entry in named]  # noqa: PTH100 - as `site` does
    sys.path[:] = dict.fromkeys([str(Path.cwd()), *theirs, *sys.path])


class ProcessState:
    """The state of the process that a task may change and the next one must not meet."""

    def __init__(self) -> None:
        self._streams = sys.stdout, sys.stderr
        self._directory = lift(os.open(".", _DIRECTORY))
        self._mask = os.umask(0o077)
        os.umask(self._mask)

    def restore(self) -> None:
        sys.stdout, sys.stderr = self._streams
        os.umask(self._mask)
        with contextlib.suppress(OSError):
            os.fchdir(self._directory)
