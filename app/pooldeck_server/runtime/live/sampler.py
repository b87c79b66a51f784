"""Looks at the worker processes from outside, every few seconds: memory, CPU, context switches.

It owns the measurements and a thread of the loop's pool for the time of one look; the health reads
the latest figures from it. A process that is gone is skipped: its pool says what became of it.
"""

import asyncio
import os
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import psutil
from msgspec import Struct
from msgspec.structs import replace

from pooldeck.pools.hosted import HostedPool
from pooldeck.pools.port import PoolPort
from pooldeck.small_files import read_small
from pooldeck_server.domain.pools.health import SwitchRates
from pooldeck_server.runtime.background import BackgroundPart
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.vitals import WorkerVitals

_SECONDS: Final = 2.0
_SWITCHES: Final = re.compile(
    rb"^voluntary_ctxt_switches:\s*(\d+)\nnonvoluntary_ctxt_switches:\s*(\d+)$", re.MULTILINE
)
_PEAK: Final = re.compile(rb"^VmHWM:\s*(\d+) kB$", re.MULTILINE)


class ProcessSample(Struct, frozen=True):
    """What one look at a process found. CPU in percent of one core since the look before.

    `peak_rss_bytes` is the most memory that it ever held, None where the platform does not tell.
    """

    rss_bytes: int
    cpu_percent: float
    switches: SwitchRates
    peak_rss_bytes: int | None = None


class _Totals(Struct, frozen=True):
    at: float
    cpu_seconds: float
    voluntary: int
    involuntary: int


class Sampler:
    """The latest figures of processes."""

    def __init__(self) -> None:
        self._totals: dict[int, _Totals] = {}
        self._samples: dict[int, ProcessSample] = {}
        self._processes: dict[int, psutil.Process] = {}  # to make one costs as much as a look

    def sample(self, pid: int) -> ProcessSample | None:
        return self._samples.get(pid)

    def refresh(self, pids: list[int]) -> None:
        """Look once at each of `pids`, and forget all others."""
        totals: dict[int, _Totals] = {}
        samples: dict[int, ProcessSample] = {}
        processes: dict[int, psutil.Process] = {}
        for pid in pids:
            try:
                processes[pid] = process = self._processes.get(pid) or psutil.Process(pid)
                totals[pid] = now = _totals(process)
                sample = _sample(process.memory_info().rss, self._totals.get(pid), now)
                samples[pid] = replace(sample, peak_rss_bytes=_peak(pid))
            except psutil.Error:
                continue
        self._totals, self._samples, self._processes = totals, samples, processes


@dataclass(kw_only=True, eq=False)
class WorkerSampling(BackgroundPart):
    """Samples the workers of all pools, and tells each pool how much memory its workers take.

    What the looks of the last minute found is kept in `vitals`, for incidents.
    """

    doing = "sampling the workers"

    sampler: Sampler
    vitals: WorkerVitals
    queues: Mapping[str, Dispatcher]
    changes: LiveChanges

    async def _run(self) -> None:
        while True:
            pids = [pid for pool in self._pools() for pid in pool.pids.values()]
            await asyncio.to_thread(self.sampler.refresh, pids)
            self._tell()
            self.changes.mark_dirty()
            await asyncio.sleep(_SECONDS)

    def _tell(self) -> None:
        found: dict[str, tuple[int, float]] = {}
        for pool in self._pools():
            for worker, pid in pool.pids.items():
                if (sample := self.sampler.sample(pid)) is not None:
                    pool.note_memory(worker, sample.rss_bytes)
                    found[worker] = (sample.rss_bytes, sample.cpu_percent)
        self.vitals.note(time.monotonic(), found)

    def _pools(self) -> list[PoolPort]:
        """Return the pools whose processes are on this machine; hosts measure their own."""
        pools = (queue.pool for queue in self.queues.values())
        return [pool for pool in pools if not isinstance(pool, HostedPool)]


def _totals(process: psutil.Process) -> _Totals:
    cpu = process.cpu_times()
    switches = _thread_switches(process.pid) or process.num_ctx_switches()
    return _Totals(time.monotonic(), cpu.user + cpu.system, switches[0], switches[1])


def _thread_switches(pid: int) -> tuple[int, int] | None:
    """Return voluntary and involuntary switches over all threads, where /proc tells them.

    `psutil.Process.num_ctx_switches` counts the main thread only, which waits in a thread worker.
    """
    voluntary = involuntary = 0
    threads = f"/proc/{pid}/task"
    try:
        for thread in os.listdir(threads):  # noqa: PTH208 - of each worker, every other second
            if found := _SWITCHES.search(read_small(f"{threads}/{thread}/status")):
                voluntary += int(found[1])
                involuntary += int(found[2])
    except OSError:
        return None
    return (voluntary, involuntary) if voluntary or involuntary else None


def _peak(pid: int) -> int | None:
    """Return the most memory that a process ever held, in bytes, where /proc tells it."""
    with suppress(OSError):
        if found := _PEAK.search(read_small(f"/proc/{pid}/status")):
            return int(found[1]) * 1024
    return None


def _sample(rss: int, before: _Totals | None, now: _Totals) -> ProcessSample:
    if before is None or now.at <= before.at:
        return ProcessSample(rss, 0.0, SwitchRates(0.0, 0.0))
    seconds = now.at - before.at
    return ProcessSample(
        rss_bytes=rss,
        cpu_percent=max(0.0, 100 * (now.cpu_seconds - before.cpu_seconds) / seconds),
        switches=SwitchRates(
            voluntary=max(0, now.voluntary - before.voluntary) / seconds,
            involuntary=max(0, now.involuntary - before.involuntary) / seconds,
        ),
    )
