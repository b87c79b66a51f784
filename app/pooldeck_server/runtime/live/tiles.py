"""The workers of a pool with their slots, as they are at this moment."""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from pooldeck.kinds import KINDS, Ending
from pooldeck.pools.model import Running, Worker
from pooldeck.pools.pool import Pool
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.pools.health import SlotHealth, WorkerHealth
from pooldeck_server.runtime.live.sampler import Sampler
from pooldeck_server.runtime.live.seats import Seats
from pooldeck_server.runtime.tasks.durations import RecentDurations

_LATE_SECONDS: Final = 1.0  # beyond the usual: tasks of milliseconds are not worth a look
_NOWHERE: Final = 1_000_000  # behind every seat


class Tiles(Struct, frozen=True):
    """Makes pictures of workers."""

    clock: Clock
    sampler: Sampler
    durations: RecentDurations

    def of(
        self,
        pool: Pool,
        seats: Seats,
        fraction: Callable[[str], float | None],
    ) -> tuple[WorkerHealth, ...]:
        """Return the workers of a pool, in the order of their seats."""
        now = self.clock.monotonic()

        def number(worker: Worker) -> int:
            found = seats.of(worker.id)
            return _NOWHERE if found is None else found[0]

        return tuple(
            self._worker(pool, worker, seats, now, fraction)
            for worker in sorted(pool.workers.values(), key=number)
        )

    def _worker(
        self,
        pool: Pool,
        worker: Worker,
        seats: Seats,
        now: float,
        fraction: Callable[[str], float | None],
    ) -> WorkerHealth:
        sample = self.sampler.sample(worker.pid)
        _, seat = seats.of(worker.id) or (None, None)

        def slot(running: Running, if_killed: Ending | None) -> SlotHealth:
            return self._slot(running, now, fraction(running.call.task), if_killed)

        return WorkerHealth(
            id=worker.id,
            pid=worker.pid or None,
            state=worker.state,
            started_at=self.clock.now() - int((now - worker.started_at) * 1e6),
            tasks_done=worker.tasks_done,
            slots=_placed(worker, lambda running: slot(running, pool.ending_of(worker, running)))
            + tuple(slot(left, None) for left in worker.abandoned.values()),
            rss_bytes=sample.rss_bytes if sample else None,
            cpu_percent=sample.cpu_percent if sample else None,
            ctx_switches_per_s=sample.switches if sample else None,
            restarts=seat.restarts if seat else 0,
            replaced=seat.replaced if seat else None,
        )

    def _slot(
        self, running: Running, now: float, fraction: float | None, if_killed: Ending | None
    ) -> SlotHealth:
        """Return a call in its slot; one that nothing can end any more is abandoned."""
        started_at = running.started_at
        elapsed = None if started_at is None else max(0.0, now - started_at)
        spread = self.durations.spread(running.call.function)
        return SlotHealth(
            task=running.call.task,
            function=running.call.function,
            elapsed=elapsed,
            usual_p50=spread.p50 if spread else None,
            usual_p95=spread.p95 if spread else None,
            is_late=spread is not None and (elapsed or 0.0) > spread.p95 + _LATE_SECONDS,
            abandoned=if_killed is None,
            timeout=running.call.timeout,
            cancel_requested=running.is_asked,
            fraction=fraction,
            if_killed=if_killed,
        )


def _placed(worker: Worker, slot: Callable[[Running], SlotHealth]) -> tuple[SlotHealth, ...]:
    """Return the slots in the order of the threads that run them; free ones are empty.

    There are more than the worker's share as long as more run, since the pool has become smaller.
    """
    runs = KINDS[worker.kind].at_risk(worker.running.values())  # the others wait behind it
    slots = [SlotHealth()] * max(worker.slots, len(runs))
    unplaced = []
    for running in runs:
        if running.thread is not None and running.thread <= len(slots):
            slots[running.thread - 1] = slot(running)
        else:
            unplaced.append(running)
    for number, free in enumerate(slots):
        if unplaced and free.task is None:
            slots[number] = slot(unplaced.pop(0))
    return tuple(slots)
