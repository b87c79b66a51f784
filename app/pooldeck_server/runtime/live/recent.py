"""The last minutes of each pool, in memory: what is shown beside the present."""

from collections import defaultdict, deque
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from pooldeck_server.domain.measurements.histograms import Histogram, from_text, percentile
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.domain.pools.history import STRETCH, Recent, Stretch
from pooldeck_server.runtime.live.open_stretch import OpenStretch

LATELY: Final = 900
"""Seconds that are remembered."""

_LOOKS: Final = 61  # a second apart: the ends of a minute
_SPREAD: Final = 300 // STRETCH - 1  # stretches beside the present one that percentiles are of
_SPARK: Final = LATELY // STRETCH


class _PoolLook(Struct, frozen=True):
    """A pool at a moment (monotonic seconds); `ended` counts from when we began to look."""

    at: float
    ended: int
    busy: int
    size: int


class _Passed(Struct, frozen=True):
    """What went through a pool in a stretch that has ended."""

    ended: int
    failed: int  # or lost
    wait: Histogram
    run: Histogram


_NOTHING: Final = _Passed(0, 0, 0, 0)


class _Pool:
    """What is remembered of one pool."""

    def __init__(self) -> None:
        self.ended = 0  # in stretches that have ended
        self.looks: deque[_PoolLook] = deque(maxlen=_LOOKS)
        self.passed: deque[_Passed] = deque(maxlen=_SPARK)
        self.recent: Recent | None = None


class RecentMinutes:
    """Remembers looks and stretches (the oldest first), and says how the last minutes were."""

    def __init__(self, kept: Iterable[Stretch] = ()) -> None:
        self._pools: defaultdict[str, _Pool] = defaultdict(_Pool)
        for stretch in kept:
            self.add_stretch(stretch)

    def of(self, pool: str) -> Recent | None:
        """Return how a pool's last minutes were; None before the first look."""
        return self._pools[pool].recent

    def add_sample(self, pools: Iterable[PoolHealth], present: OpenStretch, now: float) -> None:
        """Take a look at the pools at `now` (monotonic seconds)."""
        for health in pools:
            pool = self._pools[health.name]
            # What has ended before the first look belongs to the second that begins with it.
            ended = pool.ended + present.ended(health.name) if pool.looks else pool.ended
            pool.looks.append(_PoolLook(now, ended, health.busy, health.slots))
            failed = present.failed(health.name)
            pool.recent = _recent(pool, failed, *present.histograms(health.name))

    def add_stretch(self, stretch: Stretch) -> None:
        """Take a stretch that has ended; pools that it does not know of rested in it."""
        pools = {*self._pools, *(sample.pool for sample in stretch.samples)}
        passed = dict.fromkeys(pools, _NOTHING)
        for flow in stretch.flows:
            before = passed.get(flow.pool, _NOTHING)
            passed[flow.pool] = _Passed(
                before.ended + flow.succeeded + flow.failed + flow.cancelled + flow.lost,
                before.failed + flow.failed + flow.lost,
                before.wait + from_text(flow.wait),
                before.run + from_text(flow.run),
            )
        for name, one in passed.items():
            pool = self._pools[name]
            pool.ended += one.ended
            pool.passed.append(one)


def _recent(pool: _Pool, failed: int, wait: Histogram, run: Histogram) -> Recent:
    """Return how a pool's last minutes were, given what of the present stretch is in them."""
    first, last = pool.looks[0], pool.looks[-1]
    seconds = last.at - first.at
    slots = sum(look.size for look in pool.looks)
    spread = list(pool.passed)[-_SPREAD:]
    return Recent(
        throughput=(last.ended - first.ended) / seconds if seconds > 0 else 0.0,
        wait_p95=percentile(sum((passed.wait for passed in spread), wait), 0.95),
        run_p95=percentile(sum((passed.run for passed in spread), run), 0.95),
        utilization=min(1.0, sum(look.busy for look in pool.looks) / slots) if slots else 0.0,
        spark=tuple(passed.ended / STRETCH for passed in pool.passed),
        failed=failed + sum(passed.failed for passed in pool.passed),
    )
