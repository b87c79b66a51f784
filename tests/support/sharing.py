"""A real process that keeps shared state, as the server has it, and programs that reach it."""

import asyncio
import secrets
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pooldeck.access import Access, SharedLimits
from pooldeck.shared.backend import Remote
from pooldeck.shared.host import StateProcess
from tests.support.marked_processes import new_boot

BOUND = 120.0  # seconds that anything may take


class Kept:
    """The process, the way there, and how often it was lost."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.boot = new_boot()
        self.losses = 0
        self.process = StateProcess(self.boot, access, self._lost)

    def _lost(self) -> None:
        self.losses += 1

    def worker(self, name: str) -> Remote:
        """Return the state as a worker reaches it."""
        return Remote(self.access, name)

    def program(self, source: str, worker: str = "cpu-9") -> list[str]:
        """Return the command of a program that is such a worker."""
        way = f"Access({self.access.address!r}, {self.access.key!r}), {worker!r}"
        imports = "from pooldeck.access import Access, set_access\nfrom pooldeck import shared"
        return [sys.executable, "-c", f"{imports}\nset_access({way})\n{source}"]


@contextmanager
def kept(limits: SharedLimits | None = None) -> Iterator[Kept]:
    """Keep shared state for the time of a test."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(coroutine: Any) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, loop).result(BOUND)

    with tempfile.TemporaryDirectory(prefix="shared-") as folder:  # a short path
        address = str(Path(folder) / "socket")
        state = Kept(Access(address, secrets.token_bytes(32), limits or SharedLimits()))
        try:
            run(state.process.start())
            yield state
            run(state.process.stop())
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()


def add(worker: Remote, n: int = 1) -> int:
    """Add to the counter of these tests."""
    value: int = worker.call("call", "counter", "n", {}, "add", [n])
    return value


def acquire(worker: Remote, timeout: float | None = 0.0) -> bool:
    """Take the lock of these tests."""
    holder = (worker.worker, 1, "thread", "task", "function")
    got: bool = worker.call("acquire", "lock", "l", {}, holder, timeout)
    return got


def release(worker: Remote) -> None:
    """Give the lock of these tests back."""
    worker.call("call", "lock", "l", {}, "release", [])
