"""The stretch of history that has not ended: what goes through the pools, and how they are."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import add

from pooldeck_server.domain.measurements.histograms import Histogram, bucket_of, packed, to_text
from pooldeck_server.domain.pools.health import PoolHealth, WorkerHealth
from pooldeck_server.domain.pools.history import STRETCH, Flow, PoolSample, Stretch
from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.domain.tasks.states import State


@dataclass(slots=True, eq=False)
class _Sums:
    """What went through a pool of one function: counts, and histograms while they are counted."""

    submitted: int = 0
    ended: defaultdict[State, int] = field(default_factory=lambda: defaultdict(int))
    wait: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    run: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))


class _Gauges:
    """The sums of what was seen of one pool, but the highest of its oldest waits."""

    def __init__(self) -> None:
        self.looks = 0
        self.sums = [0.0] * 7
        self.oldest_wait = 0.0

    def add(self, pool: PoolHealth) -> None:
        self.looks += 1
        self.sums = list(map(add, self.sums, _gauges(pool)))
        self.oldest_wait = max(self.oldest_wait, pool.oldest_wait or 0.0)


class OpenStretch:
    """Sums of what happens until the stretch is closed: of the moves of commits, and of looks."""

    def __init__(self) -> None:
        self._sums: defaultdict[tuple[str, str], _Sums] = defaultdict(_Sums)
        self._gauges: defaultdict[str, _Gauges] = defaultdict(_Gauges)

    def on_commit(self, moves: Iterable[TaskChanged]) -> None:
        """Count the moves of a commit.

        A wait is counted when its end is known: with the start, or with an end that tells of a
        start that was not told before.
        """
        for move in moves:
            sums = self._sums[move.pool, move.function]
            if move.before is None:
                sums.submitted += 1
            elif move.wait_seconds is not None and move.before is not State.RUNNING:
                sums.wait[bucket_of(move.wait_seconds)] += 1
            if move.finished_at is not None:
                sums.ended[move.state] += 1
                if move.run_seconds is not None:
                    sums.run[bucket_of(move.run_seconds)] += 1

    @property
    def has_samples(self) -> bool:
        """Tell whether any pool was looked at: else a chart takes it that no server ran."""
        return bool(self._gauges)

    def add_sample(self, pools: Iterable[PoolHealth]) -> None:
        for pool in pools:
            self._gauges[pool.name].add(pool)

    def ended(self, pool: str) -> int:
        return sum(sum(sums.ended.values()) for sums in self._of(pool))

    def failed(self, pool: str) -> int:
        """Return how many failed or were lost in a pool."""
        return sum(sums.ended[State.FAILED] + sums.ended[State.LOST] for sums in self._of(pool))

    def histograms(self, pool: str) -> tuple[Histogram, Histogram]:
        flows = list(self._of(pool))
        return sum(packed(sums.wait) for sums in flows), sum(packed(sums.run) for sums in flows)

    def close(self, at: int) -> Stretch:
        """Return the stretch that began `at` seconds after the epoch, and begin the next."""
        stretch = Stretch(
            tuple(_sample(at, pool, gauges) for pool, gauges in self._gauges.items()),
            tuple(_flow(at, *key, sums) for key, sums in self._sums.items()),
        )
        self._sums.clear()
        self._gauges.clear()
        return stretch

    def _of(self, pool: str) -> Iterator[_Sums]:
        return (sums for key, sums in self._sums.items() if key[0] == pool)


def _gauges(pool: PoolHealth) -> Iterator[float]:
    """Yield how a pool is, in the order of the means of a sample."""
    workers = pool.workers
    yield pool.size
    yield pool.busy
    yield pool.queued
    yield sum(worker.cpu_percent or 0.0 for worker in workers)
    yield sum(worker.rss_bytes or 0 for worker in workers)
    yield sum(_switches(worker)[0] for worker in workers)
    yield sum(_switches(worker)[1] for worker in workers)


def _switches(worker: WorkerHealth) -> tuple[float, float]:
    rates = worker.ctx_switches_per_s
    return (rates.voluntary, rates.involuntary) if rates else (0.0, 0.0)


def _sample(at: int, pool: str, gauges: _Gauges) -> PoolSample:
    slots, busy, queued, cpu, rss, voluntary, involuntary = (
        total / gauges.looks for total in gauges.sums
    )
    return PoolSample(
        seconds=STRETCH,
        at=at,
        pool=pool,
        slots=slots,
        busy=busy,
        queued=queued,
        oldest_wait=gauges.oldest_wait,
        cpu_percent=cpu,
        rss_bytes=rss,
        voluntary=voluntary,
        involuntary=involuntary,
    )


def _flow(at: int, pool: str, function: str, sums: _Sums) -> Flow:
    return Flow(
        seconds=STRETCH,
        at=at,
        pool=pool,
        function=function,
        submitted=sums.submitted,
        succeeded=sums.ended[State.SUCCEEDED],
        failed=sums.ended[State.FAILED],
        cancelled=sums.ended[State.CANCELLED],
        lost=sums.ended[State.LOST],
        wait=to_text(packed(sums.wait)),
        run=to_text(packed(sums.run)),
    )
