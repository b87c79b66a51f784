"""What a run costs: time, CPU time, context switches, memory; read before and after it."""

import os
import resource
from time import perf_counter, process_time, thread_time

from pooldeck.outcome import Measurement
from pooldeck.worker import children

# Linux tells a thread's own switches; there, the peak memory beside them is the whole process's.
_WHO = getattr(resource, "RUSAGE_THREAD", None)
_PEAK_UNIT = 1024
_SHORT = 100  # bytes

_OWN_SECONDS = 0.0005  # of CPU, and beside it a share of the run: what the worker's own threads
_OWN_SHARE = 0.02  # use meanwhile; less is not taken for the function's


class Meter:
    """Measures one run on the thread that it runs on.

    Args:
        sole: Whether nothing else runs in this process, so that the CPU time of its children and
            its peak memory belong to this run.
        is_quick: Whether the run will probably be so short that its wait for a CPU, which takes two
            readings of a file, would cost more than it says.
    """

    __slots__ = (
        "_after",
        "_before",
        "_child_cpu",
        "_cpu",
        "_delayed",
        "_is_quick",
        "_process_cpu",
        "_run",
        "_sole",
    )

    def __init__(self, *, sole: bool, is_quick: bool = False) -> None:
        self._sole = sole
        self._is_quick = is_quick

    def start(self) -> None:
        """Take the readings before the run."""
        self._delayed = None if self._is_quick else _delayed()
        self._child_cpu = self._children_cpu()
        self._process_cpu = process_time()
        self._before = _thread_usage()
        self._cpu = thread_time()
        self._run = perf_counter()

    def stop(self) -> None:
        """Take the readings after the run."""
        self._run = perf_counter() - self._run
        self._cpu = thread_time() - self._cpu
        self._after = _thread_usage()
        self._process_cpu = process_time() - self._process_cpu
        self._child_cpu = self._children_cpu() - self._child_cpu
        if self._delayed is not None:
            self._delayed = max(0.0, (_delayed() or 0.0) - self._delayed)

    def measurement(
        self,
        *,
        decode: float,
        encode: float,
        arguments_bytes: int,
        result_bytes: int,
        beside: int = 0,
        throttled: int = 0,
        throttled_seconds: float = 0.0,
    ) -> Measurement:
        """Return the differences, with what was measured around the run (seconds, bytes).

        Args:
            decode: Seconds that reading the arguments took.
            encode: Seconds that writing the result took.
            arguments_bytes: Size of the arguments as JSON.
            result_bytes: Size of the result as JSON.
            beside: How many other calls ran in the process.
            throttled: How often the function said that its target throttled it.
            throttled_seconds: For how long in all.
        """
        before, after = self._before, self._after
        voluntary = involuntary = peak = growth = None
        if before is not None and after is not None:
            voluntary = after.ru_nvcsw - before.ru_nvcsw
            involuntary = after.ru_nivcsw - before.ru_nivcsw
            if self._sole:
                growth = (after.ru_maxrss - before.ru_maxrss) * _PEAK_UNIT
                peak = after.ru_maxrss * _PEAK_UNIT if growth else None
        return Measurement(
            self._run,
            self._cpu,
            self._child_cpu,
            decode,
            encode,
            voluntary,
            involuntary,
            peak,
            arguments_bytes,
            result_bytes,
            self._helper_cpu() if beside == 0 else 0.0,
            growth,
            beside,
            throttled,
            throttled_seconds,
            self._delayed,
        )

    def _helper_cpu(self) -> float:
        """Return the CPU time of other threads, where it is more than the worker's own take."""
        others = self._process_cpu - self._cpu
        return others if others > _OWN_SECONDS + _OWN_SHARE * self._run else 0.0

    def _children_cpu(self) -> float:
        return _children_cpu() if self._sole else children.reaped_cpu()


def _thread_usage() -> resource.struct_rusage | None:
    return None if _WHO is None else resource.getrusage(_WHO)


def _delayed() -> float | None:
    """Return for how long this thread has been ready while no CPU was free, see proc(5)."""
    try:
        descriptor = os.open("/proc/thread-self/schedstat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # not Linux, or no descriptor is left
        return None
    try:
        return int(os.read(descriptor, _SHORT).split()[1]) / 1e9
    finally:
        os.close(descriptor)


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
