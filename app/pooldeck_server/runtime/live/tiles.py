"""The workers of a pool with their slots, as they are at this moment."""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Final

from msgspec import Struct

from pooldeck.pools.listener import RunningCall
from pooldeck.pools.port import WorkerSnapshot
from pooldeck_server.domain.clock import Clock, span
from pooldeck_server.domain.pools.health import SlotHealth, WorkerHealth
from pooldeck_server.runtime.live.sampler import Sampler
from pooldeck_server.runtime.live.seats import Seat, Seats
from pooldeck_server.runtime.tasks.durations import RecentDurations

_LATE_SECONDS: Final = 1.0  # beyond the usual: tasks of milliseconds are not worth a look
_NOWHERE: Final = 1_000_000  # behind every seat


class Tiles(Struct, frozen=True):
    """Makes pictures of workers."""

    clock: Clock
    sampler: Sampler  # has measured the processes
    durations: RecentDurations  # knows how long functions take

    def of(
        self,
        workers: Sequence[WorkerSnapshot],
        seats: Seats,
        fraction: Callable[[str], float | None],
    ) -> tuple[WorkerHealth, ...]:
        """Return workers in the order of their seats; those without one (spares) come last."""
        now, numbered = self.clock.monotonic(), seats.numbered()
        seated = [(*numbered.get(worker.id, (_NOWHERE, None)), worker) for worker in workers]
        return tuple(
            self._worker(worker, seat, now, fraction)
            for _, seat, worker in sorted(seated, key=itemgetter(0))
        )

    def _worker(
        self,
        worker: WorkerSnapshot,
        seat: Seat | None,
        now: float,
        fraction: Callable[[str], float | None],
    ) -> WorkerHealth:
        # A process of the same id on this machine is another one.
        sample = self.sampler.sample(worker.pid) if worker.host is None else None

        def slot(run: RunningCall) -> SlotHealth:
            return self._slot(run, now, fraction(run.call.task))

        return WorkerHealth(
            id=worker.id,
            pid=worker.pid or None,
            state=worker.state,
            started_at=self.clock.now() - span(now - worker.started_at),
            tasks_done=worker.tasks_done,
            slots=(*_placed(worker, slot), *map(slot, worker.abandoned)),
            rss_bytes=sample.rss_bytes if sample else worker.rss_bytes,
            peak_rss_bytes=sample.peak_rss_bytes if sample else None,
            cpu_percent=sample.cpu_percent if sample else worker.cpu_percent,
            ctx_switches_per_s=sample.switches if sample else None,
            restarts=seat.restarts if seat else 0,
            replaced=seat.replaced if seat else None,
            host=worker.host,
        )

    def _slot(self, run: RunningCall, now: float, fraction: float | None) -> SlotHealth:
        elapsed = None if run.started_at is None else max(0.0, now - run.started_at)
        spread = self.durations.spread(run.call.function)
        return SlotHealth(
            task=run.call.task,
            function=run.call.function,
            elapsed=elapsed,
            usual_p50=spread.p50 if spread else None,
            usual_p95=spread.p95 if spread else None,
            is_late=spread is not None and (elapsed or 0.0) > spread.p95 + _LATE_SECONDS,
            abandoned=run.is_abandoned,
            timeout=run.call.timeout,
            cancel_requested=run.is_asked,
            fraction=fraction,
            if_killed=run.ending,
        )


def _placed(
    worker: WorkerSnapshot, slot: Callable[[RunningCall], SlotHealth]
) -> Sequence[SlotHealth]:
    """Return the slots in the order of the threads that run them; free ones are empty.

    There are more than the worker's share as long as more run, since the pool has become smaller.
    """
    slots = [SlotHealth()] * max(worker.slots, len(worker.calls))
    unplaced = []
    for run in worker.calls:
        if run.thread is not None and run.thread <= len(slots):
            slots[run.thread - 1] = slot(run)
        else:
            unplaced.append(run)
    for number, free in enumerate(slots):
        if unplaced and free.task is None:
            slots[number] = slot(unplaced.pop(0))
    return slots
