"""The measurement of a run: time, CPU time, switches and memory, read before and after it."""

import resource
from time import perf_counter, process_time, thread_time

from pooldeck.outcome import Measurement
from pooldeck.quantities import MOST_SECONDS, elapsed
from pooldeck.worker.measure import child_cpu, run_delay
from pooldeck.worker.measure.child_cpu import Reaped
from pooldeck.worker.measure.memory import PeakMemory
from pooldeck.worker.measure.turns import Turns

_WHO = getattr(resource, "RUSAGE_THREAD", None)  # a thread's own switches, where there are such
_CHILDREN = resource.RUSAGE_CHILDREN
_usage = resource.getrusage

_OWN_SECONDS = 0.001  # of CPU, and beside it a share of the run: what the worker's own threads
_OWN_SHARE = 0.08  # use meanwhile; less is not taken for the function's


class RunReadings:
    """Readings of one run, taken on the thread that it runs on.

    `memory` is that of a process in which nothing else runs, so that it belongs to this run, as
    does the CPU time of children; None where other calls run beside it. `turns` are those of its
    function there. A quick run will probably be so short that its memory and its wait for a CPU,
    which stand in files, and what other threads did meanwhile would cost more than they say.
    """

    def __init__(
        self, *, memory: PeakMemory | None, turns: Turns | None = None, is_quick: bool = False
    ) -> None:
        self.memory = memory
        self.turns = turns
        self.is_quick = is_quick

    def start(self) -> None:
        self._delayed: float | None = None
        self._process_cpu = 0.0
        if not self.is_quick:
            self._delayed = run_delay.for_cpu()
            self._process_cpu = process_time()
        self._reaped = child_cpu.reaped()
        self._children = None if self.memory is None else _usage(_CHILDREN)
        self._before = None if _WHO is None else _usage(_WHO)
        self._cpu = thread_time()
        self._part = 0.0 if self.turns is None else self.turns.begin()
        self._run = perf_counter()

    def stop(self) -> None:
        self._run = elapsed(self._run, perf_counter())
        self._part = self._run if self.turns is None else self.turns.end() - self._part
        self._cpu = elapsed(self._cpu, thread_time())
        self._after = None if _WHO is None else _usage(_WHO)
        if not self.is_quick:
            self._process_cpu = elapsed(self._process_cpu, process_time())
        self._child_cpu, self._child_delayed = self._of_children(child_cpu.reaped())
        if self._delayed is not None:
            self._delayed = elapsed(self._delayed, run_delay.for_cpu() or 0.0)

    def _of_children(self, reaped: Reaped) -> tuple[float, float]:
        """Return the CPU time of the children that have ended in the run, and their delay."""
        cpu = delayed = 0.0
        if reaped is not self._reaped:
            cpu = elapsed(self._reaped.cpu, reaped.cpu)
            delayed = elapsed(self._reaped.delayed, reaped.delayed)
        if (before := self._children) is not None:
            after = _usage(_CHILDREN)
            cpu = elapsed(before.ru_utime + before.ru_stime, after.ru_utime + after.ru_stime)
        return cpu, delayed

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
        system_cpu, page_faults = 0.0, 0
        if self.memory is not None and not self.is_quick:
            growth = self.memory.rise()
            peak = self.memory.bytes if growth else None
        if before is not None and after is not None:
            voluntary = after.ru_nvcsw - before.ru_nvcsw
            involuntary = after.ru_nivcsw - before.ru_nivcsw
            system_cpu = elapsed(before.ru_stime, after.ru_stime)
            page_faults = after.ru_minflt - before.ru_minflt
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
            min(throttled_seconds, MOST_SECONDS),
            self._delayed,
            self._child_delayed,
            system_cpu,
            page_faults,
            elapsed(self._part, self._run),
        )

    def _helper_cpu(self) -> float:
        """Return the CPU time of other threads, where it is more than the worker's own take."""
        others = self._process_cpu - self._cpu
        return others if others > _OWN_SECONDS + _OWN_SHARE * self._run else 0.0
