"""The picture of all pools at this moment, put together from those who know each part of it."""

from collections.abc import Iterator, Mapping
from itertools import islice

from app.domain.clock import Clock
from app.domain.errors import NotFound
from app.domain.health import PoolHealth, SlotHealth, WorkerHealth
from app.domain.states import State
from app.runtime.dispatcher import Dispatcher
from app.runtime.sampler import Sampler
from app.runtime.tally import Tally
from app.runtime.usual import Usual
from pooldeck.crew import Running, Worker
from pooldeck.pool import Pool


class Deck:
    """Health of every pool.

    Args:
        queues: The dispatcher of each pool.
        tally: Knows how many tasks wait.
        usual: Knows how long functions usually take.
        clock: The server's time.
    """

    def __init__(
        self, queues: Mapping[str, Dispatcher], tally: Tally, usual: Usual, clock: Clock
    ) -> None:
        self._queues = queues
        self._tally = tally
        self._usual = usual
        self._clock = clock
        self._sampler: Sampler | None = None

    def measure_with(self, sampler: Sampler) -> None:
        """Show the figures that `sampler` finds."""
        self._sampler = sampler

    def pids(self) -> Iterator[int]:
        """Yield the process ids of all workers."""
        for queue in self._queues.values():
            for worker in queue.pool.workers.values():
                if worker.pid:
                    yield worker.pid

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
        return PoolHealth(
            name=name,
            kind=pool.spec.kind,
            size=pool.spec.size,
            state=pool.state,
            reason=pool.reason,
            busy=pool.busy,
            queued=self._tally.number(name, State.QUEUED),
            oldest_wait=self._oldest_wait(queue),
            incidents=pool.incidents,
            workers=tuple(self._worker(worker) for worker in pool.workers.values()),
        )

    def _oldest_wait(self, queue: Dispatcher) -> float | None:
        oldest = queue.oldest
        if oldest is None:
            return None
        return max(0.0, (self._clock.now() - oldest.ready_at) / 1e6)

    def _worker(self, worker: Worker) -> WorkerHealth:
        sample = self._sampler.sample(worker.pid) if self._sampler else None
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
        """Return the slots in the order of the threads that run them; free ones are empty."""
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
        return tuple(slots)

    def _slot(self, running: Running) -> SlotHealth:
        started_at = running.started_at
        now = self._clock.monotonic()
        return SlotHealth(
            task=running.call.task,
            function=running.call.function,
            elapsed=None if started_at is None else max(0.0, now - started_at),
            usual_p50=self._usual.median(running.call.function),
        )
