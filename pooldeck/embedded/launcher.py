"""Starts the workers of an embedded pool as processes of a `multiprocessing` context."""

import time
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from socket import socket
from typing import Any, Final

from pooldeck.embedded import worker
from pooldeck.pools.launcher import Launched, WorkerExit
from pooldeck.protocol import Setup

_STATUS_SECONDS: Final = 1.0  # for another thread that took the status to write it down
_PAUSE: Final = 0.001


@dataclass(frozen=True)
class ContextLauncher:
    """A `pooldeck.pools.launcher.Launcher` over the `Process` of a context."""

    context: BaseContext  # that spawns, or has a forkserver
    outset: worker.Outset

    def launch(self, setup: Setup, boot: str, pipe: socket, control: socket) -> Launched:
        """Start a worker; one whose initializer cannot be pickled cannot be started, either."""
        start: Any = self.context  # `BaseContext` does not declare what those that start have
        process: BaseProcess = start.Process(
            target=worker.main, args=(pipe, control, boot, self.outset), name=setup.worker
        )
        try:
            process.start()
        except Exception as error:
            raise ChildProcessError(f"{type(error).__name__}: {error}") from error
        assert process.pid is not None  # noqa: S101 - it was started
        return Launched(process.pid, lambda: _reaped(process))


def _reaped(process: BaseProcess) -> WorkerExit:
    """Take the exit status of a process that has ended.

    `multiprocessing` takes the statuses of its children here and there. Where it is just at that
    in another thread, the status is there a moment later. The peak memory is lost with it.
    """
    until = time.monotonic() + _STATUS_SECONDS
    process.join()
    while process.exitcode is None and time.monotonic() < until:
        time.sleep(_PAUSE)
    code = process.exitcode
    if code is not None:
        process.close()
    return WorkerExit.of(code)
