"""What the latest looks at each worker have found, so that a death can be told with what led to it.

The sampler fills it, at every look; incidents take from it. It is all in memory, and a worker that
is not looked at any more is forgotten after as long as is kept of the others.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

from pooldeck_server.domain.failures.incidents import VitalSample

KEPT_SECONDS: Final = 60.0
_MOST: Final = 60  # looks at one worker


class _Look(Struct, frozen=True):
    """One look, at a moment of the monotonic clock."""

    at: float
    rss_bytes: int
    cpu_percent: float


@dataclass(eq=False)
class WorkerVitals:
    """The looks of the last minute at each worker, by its id."""

    _looks: dict[str, deque[_Look]] = field(init=False, default_factory=dict)

    def note(self, at: float, found: Mapping[str, tuple[int, float]]) -> None:
        """Note one look at all workers that are there.

        Args:
            at: When it was, in seconds of the monotonic clock.
            found: Memory in bytes and CPU in percent of one core, by worker.
        """
        for worker, (rss_bytes, cpu_percent) in found.items():
            looks = self._looks.setdefault(worker, deque(maxlen=_MOST))
            looks.append(_Look(at, rss_bytes, cpu_percent))
        begin = at - KEPT_SECONDS
        self._looks = {
            worker: looks for worker, looks in self._looks.items() if looks[-1].at >= begin
        }

    def before(self, worker: str, end: float) -> tuple[VitalSample, ...]:
        """Return the looks at a worker in the minute before `end`, the earliest first."""
        looks = self._looks.get(worker, ())
        return tuple(
            VitalSample(round(end - each.at, 3), each.rss_bytes, round(each.cpu_percent, 1))
            for each in looks
            if 0 <= end - each.at <= KEPT_SECONDS
        )
