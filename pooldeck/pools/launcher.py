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

from pooldeck.marks import BOOT, WORKER
from pooldeck.protocol import Setup

_SECRETS: Final = frozenset({"POOLDECK_TOKEN"})
_PROGRAM: Final = str(Path(__file__).parents[1] / "worker" / "start.py")
_RSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024


class WorkerExit(Struct, frozen=True):
    """How a worker process ended. `peak_rss_bytes` is the kernel's figure, from `wait4`."""

    code: int | None  # None: killed by `signal`
    signal: int | None
    peak_rss_bytes: int

    @classmethod
    def of(cls, code: int | None, peak_rss_bytes: int = 0) -> "WorkerExit":
        """Return it by an exit code as `subprocess` has it, negative for a signal."""
        if code is not None and code < 0:
            return cls(None, -code, peak_rss_bytes)
        return cls(code, None, peak_rss_bytes)

    @property
    def cause(self) -> str:
        """Return the cause in words, such as "killed by SIGSEGV" or "exited with code 1"."""
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
    """Starts `pooldeck/worker/start.py` as a plain child process."""

    def launch(
        self, setup: Setup, boot: str, pipe: socket.socket, control: socket.socket
    ) -> Launched:
        ends = pipe.fileno(), control.fileno()
        process = subprocess.Popen(  # noqa: S603 - the interpreter and our own module
            [sys.executable, "-P", _PROGRAM, *map(str, ends)],
            stdin=subprocess.DEVNULL,
            pass_fds=ends,
            start_new_session=True,
            env=worker_environment(os.environ, boot, setup.worker),
        )
        return Launched(process.pid, lambda: _reap(process))


def _reap(process: "subprocess.Popen[bytes]") -> WorkerExit:
    _, status, usage = os.wait4(process.pid, 0)
    code = process.returncode = os.waitstatus_to_exitcode(status)
    return WorkerExit.of(code, usage.ru_maxrss * _RSS_UNIT)


def worker_environment(environment: Mapping[str, str], boot: str, worker: str) -> dict[str, str]:
    """Return the environment of a worker: the server's without its secrets, with both marks."""
    kept = {name: value for name, value in environment.items() if name not in _SECRETS}
    return kept | {BOOT: boot, WORKER: worker}
