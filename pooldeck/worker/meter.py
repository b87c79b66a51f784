"""What a run costs: time, CPU time, context switches, memory; read before and after it."""

import resource
from time import perf_counter, thread_time

from pooldeck.outcome import Measurement

# Linux tells a thread's own switches; there, the peak memory beside them is the whole process's.
_WHO = getattr(resource, "RUSAGE_THREAD", None)
_PEAK_UNIT = 1024


class Meter:
    """Measures one run on the thread that it runs on.

    Args:
        sole: Whether nothing else runs in this process, so that the CPU time of its children and
            its peak memory belong to this run.
    """

    __slots__ = ("_after", "_before", "_child_cpu", "_cpu", "_run", "_sole")

    def __init__(self, *, sole: bool) -> None:
        self._sole = sole

    def start(self) -> None:
        """Take the readings before the run."""
        self._child_cpu = _children_cpu() if self._sole else 0.0
        self._before = _thread_usage()
        self._cpu = thread_time()
        self._run = perf_counter()

    def stop(self) -> None:
        """Take the readings after the run."""
        self._run = perf_counter() - self._run
        self._cpu = thread_time() - self._cpu
        self._after = _thread_usage()
        if self._sole:
            self._child_cpu = _children_cpu() - self._child_cpu

    def measurement(
        self, *, decode: float, encode: float, arguments_bytes: int, result_bytes: int
    ) -> Measurement:
        """Return the differences, with what was measured around the run (seconds, bytes)."""
        before, after = self._before, self._after
        voluntary = involuntary = peak = None
        if before is not None and after is not None:
            voluntary = after.ru_nvcsw - before.ru_nvcsw
            involuntary = after.ru_nivcsw - before.ru_nivcsw
            if self._sole and after.ru_maxrss > before.ru_maxrss:
                peak = after.ru_maxrss * _PEAK_UNIT
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
        )


def _thread_usage() -> resource.struct_rusage | None:
    return None if _WHO is None else resource.getrusage(_WHO)


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
