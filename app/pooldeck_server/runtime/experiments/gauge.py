"""What the processes of a trial take, measured from outside over a while."""

import asyncio
import time
from collections.abc import Iterable

import psutil
from msgspec import Struct

from pooldeck_server.runtime.live.sampler import Sampler


class Taken(Struct, frozen=True):
    """CPU seconds per second, memory of all processes, context switches a second.

    `machine_cpu` is the CPU seconds per second of everything that runs on the machine.
    """

    cpu: float
    machine_cpu: float
    rss_bytes: int
    switches: float


class Gauge:
    """Looks at the same processes twice; what came or went between is not counted."""

    def __init__(self) -> None:
        self._sampler = Sampler()
        self._pids: list[int] = []
        self._begun = (0.0, 0.0)  # the time, and the machine's CPU seconds until then

    async def begin(self, pids: Iterable[int]) -> None:
        self._pids = list(pids)
        self._begun = time.monotonic(), _machine_cpu()
        await asyncio.to_thread(self._sampler.refresh, self._pids)

    async def end(self) -> Taken:
        await asyncio.to_thread(self._sampler.refresh, self._pids)
        at, before = self._begun
        samples = [sample for pid in self._pids if (sample := self._sampler.sample(pid))]
        return Taken(
            cpu=sum(sample.cpu_percent for sample in samples) / 100,
            machine_cpu=(_machine_cpu() - before) / (time.monotonic() - at),
            rss_bytes=sum(sample.rss_bytes for sample in samples),
            switches=sum(
                sample.switches.voluntary + sample.switches.involuntary for sample in samples
            ),
        )


def _machine_cpu() -> float:
    """Return the CPU seconds that all CPUs have worked since the machine started."""
    times = psutil.cpu_times()
    return float(times.user + times.system)  # nice and interrupts are left out: they are little
