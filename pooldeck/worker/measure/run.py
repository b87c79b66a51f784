"""The measurement of a run: time, CPU time, switches and memory, read before and after it."""

import re
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time, thread_time
from typing import Final

from pooldeck.outcome import Measurement
from pooldeck.worker.measure import child_cpu, run_delay

_WHO = getattr(resource, "RUSAGE_THREAD", None)  # a thread's own switches, where there are such

_OWN_SECONDS = 0.001  # of CPU, and beside it a share of the run: what the worker's own threads
_OWN_SHARE = 0.08  # use meanwhile; less is not taken for the function's

_STATUS: Final = Path("/proc/self/status")
_PEAK: Final = re.compile(rb"^VmHWM:\s*(\d+) kB", re.MULTILINE)
_KIB: Final = 1024
_UNIT: Final = 1 if sys.platform == "darwin" else _KIB


class PeakMemory:
    """The most memory that this process has used, and how it rises."""

    def __init__(self) -> None:
        self.bytes = _peak()

    def rise(self) -> int:
        """Return by how many bytes it has risen since this was last asked."""
        before, self.bytes = self.bytes, _peak()
        return max(0, self.bytes - before)


@dataclass(kw_only=True)
class RunReadings:
    """Readings of one run, taken on the thread that it runs on.

    `memory` is that of a process in which nothing else runs, so that it belongs to this run, as
    does the CPU time of children; None where other calls run beside it. A quick run will probably
    be so short that its memory and its wait for a CPU, which stand in files, would cost more than
    they say.
    """

    memory: PeakMemory | None
    is_quick: bool = False

    def start(self) -> None:
        self._delayed = None if self.is_quick else run_delay.for_cpu()
        self._child_delayed = child_cpu.reaped().delayed
        self._child_cpu = self._children_cpu()
        self._process_cpu = process_time()
        self._before = _thread_usage()
        self._cpu = thread_time()
        self._run = perf_counter()

    def stop(self) -> None:
        self._run = perf_counter() - self._run
        self._cpu = thread_time() - self._cpu
        self._after = _thread_usage()
        self._process_cpu = process_time() - self._process_cpu
        self._child_cpu = self._children_cpu() - self._child_cpu
        if self._delayed is not None:
            self._delayed = max(0.0, (run_delay.for_cpu() or 0.0) - self._delayed)
        self._child_delayed = child_cpu.reaped().delayed - self._child_delayed

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
        """Return the differences, with what was measured around the run: see `Measurement`."""
        before, after = self._before, self._after
        voluntary = involuntary = peak = growth = None
        system_cpu = 0.0
        if self.memory is not None and not self.is_quick:
            growth = self.memory.rise()
            peak = self.memory.bytes if growth else None
        if before is not None and after is not None:
            voluntary = after.ru_nvcsw - before.ru_nvcsw
            involuntary = after.ru_nivcsw - before.ru_nivcsw
            system_cpu = after.ru_stime - before.ru_stime
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
            self._child_delayed,
            system_cpu,
        )

    def _helper_cpu(self) -> float:
        """Return the CPU time of other threads, where it is more than the worker's own take."""
        others = self._process_cpu - self._cpu
        return others if others > _OWN_SECONDS + _OWN_SHARE * self._run else 0.0

    def _children_cpu(self) -> float:
        return child_cpu.reaped().cpu if self.memory is None else _children_cpu()


def _thread_usage() -> resource.struct_rusage | None:
    return None if _WHO is None else resource.getrusage(_WHO)


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _peak() -> int:
    """Return the most memory that it has used, in bytes.

    `getrusage` tells that on any system, but on Linux never less than what the process that started
    this one had used by then; see `VmHWM` in proc(5).
    """
    try:
        found = _PEAK.search(_STATUS.read_bytes())
    except OSError:
        found = None
    if found is None:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT
    return int(found[1]) * _KIB
