"""What a host and its workers use, by what it sends every few seconds."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pooldeck.hosts.wire import Sampled


@dataclass(eq=False)
class HostUsage:
    """The latest figures; None and nothing before the first of them."""

    clock: Callable[[], float] = time.monotonic
    load: float | None = None  # processes that run or wait for a CPU, over a minute
    memory_used: int | None = None  # of the machine, by anybody; in bytes
    rss_bytes: dict[str, int] = field(default_factory=dict)  # by worker
    cpu_percent: dict[str, float] = field(default_factory=dict)  # by worker: 100 for one core
    _totals: dict[str, float] = field(default_factory=dict)
    _at: float = 0.0

    def take(self, sampled: Sampled) -> None:
        """Take a sample; CPU is told between two, so that one which comes late is told as less."""
        now, before = self.clock(), self._totals
        seconds = now - self._at
        self.load, self.memory_used = sampled.load, sampled.memory_used
        self.rss_bytes = {each.worker: each.rss_bytes for each in sampled.workers}
        self.cpu_percent = {
            each.worker: max(0.0, 100 * (each.cpu_seconds - before[each.worker]) / seconds)
            for each in sampled.workers
            if each.worker in before and seconds > 0
        }
        self._totals = {each.worker: each.cpu_seconds for each in sampled.workers}
        self._at = now
