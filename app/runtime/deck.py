"""The picture of all pools at this moment, put together from those who know each part of it."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice

from app.domain.controls import Hold
from app.domain.errors import NotFound, UnknownFunction
from app.domain.health import PoolHealth, SlotHealth, WorkerHealth
from app.domain.states import State
from app.runtime import notices
from app.runtime.dispatcher import Dispatcher
from app.runtime.ground import Ground
from app.runtime.sampler import Sampler
from pooldeck.pools.crew import PoolState, Running, Worker, WorkerState
from pooldeck.pools.pool import Pool


class Deck:
    """Health of every pool.

    Args:
        queues: The dispatcher of each pool.
        sampler: Has measured the workers.
        ground: Knows what waits, what is usual, and what was kept.
    """

    def __init__(self, queues: Mapping[str, Dispatcher], sampler: Sampler, ground: Ground) -> None:
        self._queues = queues
        self._sampler = sampler
        self._ground = ground
        self._clock = ground.clock

    def health(self) -> tuple[PoolHealth, ...]:
        """Return the health of every pool."""
        return tuple(self._pool(queue) for queue in self._queues.values())

    def pool(self, name: str) -> PoolHealth:
        """Return the health of one pool.

        Raises:
            NotFound: If there is no such pool.
        """
        queue = self._queues.get(name)
        if queue is None:
            raise NotFound(f'there is no pool "{name}"; there are: {", ".join(self._queues)}')
        return self._pool(queue)

    def _pool(self, queue: Dispatcher) -> PoolHealth:
        pool: Pool = queue.pool
        name = pool.spec.name
        workers = tuple(self._worker(worker) for worker in pool.workers.values())
        queued = self._ground.tally.number(name, State.QUEUED)
        return PoolHealth(
            name=name,
            kind=pool.spec.kind,
            size=pool.size,
            state=pool.state,
            reason=pool.reason,
            busy=pool.busy,
            queued=queued,
            oldest_wait=self._oldest_wait(queue),
            incidents=self._ground.incidents.number(name),
            workers=workers,
            spare=sum(worker.state == WorkerState.SPARE for worker in workers),
            notice=self._notice(pool, workers, queued),
            controls=self._ground.controls.of(name),
        )

    def _notice(self, pool: Pool, workers: tuple[WorkerHealth, ...], queued: int) -> str | None:
        lines = list(notices.abandoned(workers))
        if pool.state == PoolState.RUNNING and (
            starving := notices.starvation(workers, pool.size, queued)
        ):
            lines.append(starving)
        lines += [notices.on_hold(hold) for hold in self._holds_in(pool.spec.name)]
        return "\n".join(lines) or None

    def _holds_in(self, pool: str) -> Iterator[Hold]:
        """Yield the holds on functions that run in this pool unless a submission says otherwise."""
        for hold in self._ground.holds.all():
            with suppress(UnknownFunction):  # it is on hold from times when there was such a one
                if self._ground.directory.catalogue.get(hold.function).pool == pool:
                    yield hold

    def _oldest_wait(self, queue: Dispatcher) -> float | None:
        oldest = queue.oldest
        if oldest is None:
            return None
        return max(0.0, (self._clock.now() - oldest.ready_at) / 1e6)

    def _worker(self, worker: Worker) -> WorkerHealth:
        sample = self._sampler.sample(worker.pid)
        age = self._clock.monotonic() - worker.started_at
        return WorkerHealth(
            id=worker.id,
            pid=worker.pid or None,
            state=worker.state,
            started_at=self._clock.now() - int(age * 1e6),
            tasks_done=worker.tasks_done,
            slots=self._slots(worker),
            rss_bytes=sample.rss_bytes if sample else None,
            cpu_percent=sample.cpu_percent if sample else None,
            ctx_switches_per_s=sample.switches if sample else None,
        )

    def _slots(self, worker: Worker) -> tuple[SlotHealth, ...]:
        """Return the slots in the order of the threads that run them; free ones are empty.

        Abandoned threads are behind them.
        """
        slots = [SlotHealth()] * worker.slots
        unplaced = []
        for running in islice(worker.running.values(), worker.slots):  # others wait behind it
            if running.thread is not None and running.thread <= worker.slots:
                slots[running.thread - 1] = self._slot(running)
            else:
                unplaced.append(running)
        for place, slot in enumerate(slots):
            if unplaced and slot.task is None:
                slots[place] = self._slot(unplaced.pop(0))
        slots += [self._slot(left, abandoned=True) for left in worker.abandoned.values()]
        return tuple(slots)

    def _slot(self, running: Running, *, abandoned: bool = False) -> SlotHealth:
        started_at = running.started_at
        now = self._clock.monotonic()
        return SlotHealth(
            task=running.call.task,
            function=running.call.function,
            elapsed=None if started_at is None else max(0.0, now - started_at),
            usual_p50=self._ground.usual.median(running.call.function),
            abandoned=abandoned,
            timeout=running.call.timeout,
            cancel_requested=running.is_asked,
        )
