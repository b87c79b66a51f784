"""How a worker process comes about, and how the status of one that has ended is taken.

The server starts its workers with `subprocess`. Whoever needs them otherwise gives the supervisor
another `Launcher`.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from msgspec import Struct

from pooldeck.end_signals import withheld
from pooldeck.inherited import inherited
from pooldeck.marks import BOOT, WORKER
from pooldeck.pools.native_threads import thread_variables
from pooldeck.protocol import Setup

_PROGRAM: Final = str(Path(__file__).parents[1] / "worker" / "start.py")
WORKER_OPTIONS: Final = ("-P", "-u")
"""Of the interpreter. Unbuffered: what C code has printed is not lost with its process, nor late.

The variable of the same meaning would be inherited by all that tasks start.
"""

_RSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024


class WorkerExit(Struct, frozen=True):
    """How a worker process ended.

    `peak_rss_bytes` is the kernel's figure, from `wait4`, which may be what it inherited.
    """

    code: int | None  # None: killed by `signal`
    signal: int | None
    peak_rss_bytes: int
    is_for_all: bool = False  # the signal reached the server as well, which ends
    is_by_request: bool = False  # the signal asked it to end: whoever sent it, nothing broke
    misdeed: str | None = None  # what it did that it was ended for, "became another program"

    @classmethod
    def of(cls, code: int | None, peak_rss_bytes: int = 0) -> "WorkerExit":
        """Return it by an exit code as `subprocess` has it, negative for a signal."""
        if code is not None and code < 0:
            return cls(None, -code, peak_rss_bytes)
        return cls(code, None, peak_rss_bytes)

    @property
    def cause(self) -> str:
        """Return the cause in words, such as "killed by SIGSEGV" or "exited with code 1"."""
        if self.misdeed is not None:
            return self.misdeed
        if self.signal is None:
            return f"exited with code {self.code}"
        try:
            return f"killed by {signal.Signals(self.signal).name}"
        except ValueError:
            return f"killed by signal {self.signal}"

    @property
    def sentence(self) -> str:
        """Return what happened to the worker: "was killed by SIGSEGV", "exited with code 1"."""
        return self.cause if self.signal is None else f"was {self.cause}"


@dataclass(frozen=True)
class Launched:
    """A process that was started."""

    pid: int
    reap: Callable[[], WorkerExit]  # takes its status when it has ended; called once


class Launcher(Protocol):
    """Starts worker processes."""

    def launch(
        self, setup: Setup, boot: str, pipe: socket.socket, control: socket.socket
    ) -> Launched:
        """Start a worker in a session of its own; called in a thread, so it may block.

        It inherits its ends of both pipes; the caller closes its own copies afterwards.

        Raises:
            OSError: If it cannot be started.
        """


class SubprocessLauncher:
    """Starts `pooldeck/worker/start.py` as a plain child process.

    Args:
        variables: What is to be in the environment of workers beside the server's own.
    """

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = dict(variables or {})

    def launch(
        self, setup: Setup, boot: str, pipe: socket.socket, control: socket.socket
    ) -> Launched:
        ends = pipe.fileno(), control.fileno()
        with withheld():
            process = subprocess.Popen(  # noqa: S603 - the interpreter and our own module
                [sys.executable, *WORKER_OPTIONS, _PROGRAM, *map(str, ends)],
                stdin=subprocess.DEVNULL,
                pass_fds=ends,
                start_new_session=True,
                env=worker_environment(os.environ, boot, setup) | self._variables,
            )
        return Launched(process.pid, lambda: _reap(process))


def _reap(process: "subprocess.Popen[bytes]") -> WorkerExit:
    _, status, usage = os.wait4(process.pid, 0)
    code = process.returncode = os.waitstatus_to_exitcode(status)
    return WorkerExit.of(code, usage.ru_maxrss * _RSS_UNIT)


def worker_environment(environment: Mapping[str, str], boot: str, setup: Setup) -> dict[str, str]:
    """Return the environment of a worker.

    It is the server's without its secrets, with both marks, and with how many threads native
    libraries may start where the server's does not say that.
    """
    threads = thread_variables(environment, setup.threads_per_task)
    return inherited(environment) | threads | {BOOT: boot, WORKER: setup.worker}
