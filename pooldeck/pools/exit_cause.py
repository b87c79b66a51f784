"""What there is to say about the end of a worker: in words, and what its files hold."""

import re
import time
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from pooldeck.loaded_code import ModuleFailure
from pooldeck.outcome import Error, ErrorKind
from pooldeck.pools.launcher import WorkerExit
from pooldeck.pools.out_of_memory import MemoryWatch, out_of_memory
from pooldeck.pools.worker import Worker
from pooldeck.protocol import Setup, Unready

_FRESH: Final = 1.0  # seconds
_SIGKILL: Final = 9
_MOST_FRAMES: Final = 3
_FRAME: Final = re.compile(r'^  File "(.*)", line (\d+) in (.*)$', re.MULTILINE)
_OURS: Final = "/pooldeck/worker/"
_NOT_YET: Final = "before it was ready"


class ExitCauses:
    """Says why workers ended, and without a `MemoryWatch` nothing of a want of memory."""

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

    def of(self, end: WorkerExit, *, is_own_peak: bool) -> str:
        """Return the cause of an end in words, such as "killed by SIGSEGV".

        `is_own_peak` tells whether the peak memory is the worker's own.
        """
        if self._memory is None or end.signal != _SIGKILL:
            return end.cause
        before = self._kills
        self._kills = self._latest = self._memory.oom_kills()
        limit = self._memory.limit_bytes()
        peak = end.peak_rss_bytes
        memory = out_of_memory(before, self._kills, peak, limit, is_own=is_own_peak)
        return end.cause if memory is None else f"{end.cause}, {memory}"


def taken_down_by(worker: Worker, end: WorkerExit, fault: str | None) -> ModuleFailure | None:
    """Return which module has ended a worker that never got ready, or held it up; None if none."""
    if worker.loading is None:
        return None
    if isinstance(worker.refusal, ModuleFailure):  # it was not done in time
        error = replace(worker.refusal.error, traceback=fault)
        return replace(worker.refusal, error=error)
    if worker.verdict is not None:  # somebody else has ended it
        return None
    message = f"the process that imported it {end.sentence}"
    error = Error(ErrorKind.EXCEPTION, "ImportError", message, traceback=fault)
    return ModuleFailure(worker.loading, error)


def why_not_ready(worker: Worker, end: WorkerExit) -> str:
    """Say in words why a worker never got ready, with what it printed.

    It is not named: the next one will fare no better, and the words stay the same.
    """
    refusal = worker.refusal
    if refusal is None:
        when = f"while it imported the module {worker.loading}" if worker.loading else _NOT_YET
        return f"a worker {end.sentence} {when}"
    error, what = refusal.error, "a worker could not start"
    if isinstance(refusal, Unready) and worker.process.setup.initializer is not None:
        what = f"the initializer {worker.process.setup.initializer} failed"
    if isinstance(refusal, ModuleFailure):
        what = f"the module {refusal.module} could not be loaded"
    parts = [f"{what}: {error.type}: {error.message}", error.traceback or "", refusal.output]
    return "\n\n".join(part.strip() for part in parts if part.strip())


def not_gone(worker: Worker, fault: str | None) -> str:
    """Say in words that a worker had to be killed when it was to leave, and what held it up."""
    seconds = time.monotonic() - worker.left_at
    told = f"it had not ended {seconds:.1f} s after it was told to"
    words = f"worker {worker.id} (pid {worker.pid}) was killed: {told}"
    where = " < ".join(_frames_of(worker.ident, fault or ""))
    return f"{words}; it was at {where}" if where else words


def _frames_of(thread: int, fault: str) -> list[str]:
    """Return the latest frames of a thread, "shop.py:12 (send)", from what faulthandler wrote."""
    _, _, told = fault.partition(f"hread 0x{thread:016x} ")
    frames, _, _ = told.partition("\n\n")
    latest = (found for found in _FRAME.findall(frames) if _OURS not in found[0])
    return [
        f"{Path(file).name}:{line} ({function})"
        for file, line, function in islice(latest, _MOST_FRAMES)
    ]


def take_files(setup: Setup, limit: int) -> str | None:
    """Remove the files of a worker that is gone; return what faulthandler left, up to `limit`."""
    fault = b""
    with suppress(OSError):
        fault = Path(setup.fault_path or "").read_bytes()[:limit]
    for path in (setup.fault_path, setup.output_path, setup.stack_path, setup.words_path):
        if path is not None:
            Path(path).unlink(missing_ok=True)
    return fault.decode(errors="replace").strip() or None
