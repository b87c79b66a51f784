"""What there is to say about the end of a worker: in words, and what its files hold."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from pooldeck.pools.launcher import WorkerExit
from pooldeck.pools.out_of_memory import MemoryWatch, out_of_memory
from pooldeck.pools.worker import Worker
from pooldeck.protocol import Setup

_FRESH: Final = 1.0  # seconds
_SIGKILL: Final = 9


class ExitCauses:
    """Says why workers ended.

    Args:
        memory: Knows how often the kernel has killed for want of memory; None: never mentioned.
    """

    def __init__(self, memory: MemoryWatch | None) -> None:
        self._memory = memory
        # As of the look before the latest: who is killed is gone some time after it is counted.
        self._kills = self._latest = None if memory is None else memory.oom_kills()
        self._counted_at = time.monotonic()

    def count(self) -> None:
        """Note how often the kernel has killed so far: what it kills from now on is news."""
        now = time.monotonic()
        if self._memory is not None and now - self._counted_at >= _FRESH:
            self._kills, self._latest = self._latest, self._memory.oom_kills()
            self._counted_at = now

    def of(self, end: WorkerExit) -> str:
        """Return the cause of an end in words, such as "killed by SIGSEGV"."""
        if self._memory is None or end.signal != _SIGKILL:
            return end.cause
        before = self._kills
        self._kills = self._latest = self._memory.oom_kills()
        limit = self._memory.limit_bytes()
        memory = out_of_memory(before, self._kills, end.peak_rss_bytes, limit)
        return end.cause if memory is None else f"{end.cause}, {memory}"


def why_not_ready(worker: Worker, end: WorkerExit) -> str:
    """Say in words why a worker never got ready, with what it printed."""
    if worker.refusal is None:
        return f"worker {worker.id} {end.sentence} before it was ready"
    error = worker.refusal.error
    parts = [
        f"worker {worker.id} could not start: {error.type}: {error.message}",
        error.traceback or "",
        worker.refusal.output,
    ]
    return "\n\n".join(part.strip() for part in parts if part.strip())


def take_files(setup: Setup, limit: int) -> str | None:
    """Remove the files of a worker that is gone; return what faulthandler left, up to `limit`."""
    fault = b""
    with suppress(OSError):
        fault = Path(setup.fault_path or "").read_bytes()[:limit]
    for path in (setup.fault_path, setup.output_path, setup.stack_path):
        if path is not None:
            Path(path).unlink(missing_ok=True)
    return fault.decode(errors="replace").strip() or None
