"""What a worker arranges around its tasks, and puts back in order after each of them."""

import contextlib
import faulthandler
import os
import signal
import sys
from pathlib import Path

from pooldeck.descriptors import lift

_OOM_SCORE = "500"  # of 1000: the kernel takes a worker before the server


def prepare(fault_path: str | None) -> None:
    """Arrange signals, crash reports, and the kernel's choice when memory runs out.

    Args:
        fault_path: Where the Python traceback of a crash is written.
    """
    # A handler that does nothing, and not SIG_IGN, which child processes would inherit.
    signal.signal(signal.SIGINT, lambda _number, _frame: None)
    if fault_path is not None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        faulthandler.enable(lift(os.open(fault_path, flags, 0o600)))
    with contextlib.suppress(OSError):  # other systems than Linux have no such file
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE)
    _yield_to_the_server()


def _yield_to_the_server() -> None:
    """Let the kernel take this for a batch process, where it knows such.

    It gets its share of the CPU as before, but does not push the server off it at the very moment
    that the server wakes it with a call.
    """
    if hasattr(os, "SCHED_BATCH"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def open_import_path() -> None:
    """Let the user's modules be found in the working directory.

    Only after Pooldeck's own imports, so that nothing there can take their place.
    """
    sys.path.insert(0, str(Path.cwd()))


class Surroundings:
    """The state of the process that a task may change and the next one must not meet."""

    def __init__(self) -> None:
        self._streams = sys.stdout, sys.stderr
        self._directory = os.getcwd()  # noqa: PTH109 - compared after each call; Path is slower
        self._mask = os.umask(0o077)
        os.umask(self._mask)

    def restore(self) -> None:
        """Put streams, file mode mask and working directory back."""
        sys.stdout, sys.stderr = self._streams
        os.umask(self._mask)
        with contextlib.suppress(OSError):  # the task removed the directory it was in
            if os.getcwd() == self._directory:  # noqa: PTH109 - as above
                return
        with contextlib.suppress(OSError):  # our own directory is gone: there is no better place
            os.chdir(self._directory)
