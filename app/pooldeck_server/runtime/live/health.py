"""The picture of all pools at this moment, put together from those who know each part of it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Final

from msgspec.structs import replace

from pooldeck.pools.model import WorkerState
from pooldeck_server.domain.clock import seconds
from pooldeck_server.domain.errors import NotFound, UnknownFunction
from pooldeck_server.domain.notices import Notice
from pooldeck_server.domain.pools.controls import Hold
from pooldeck_server.domain.pools.health import DeadWorker, PoolHealth, SwitchRates, WorkerHealth
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.lifecycle.ground import Ground
from pooldeck_server.runtime.live import notices
from pooldeck_server.runtime.live.sampler import Sampler
from pooldeck_server.runtime.live.seats import Seats
from pooldeck_server.runtime.live.tiles import Tiles
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher

_DEAD_SECONDS: Final = 8.0  # that a dead worker is shown


class Health:
    """Health of every pool, and what of the rest needs attention.

    Args:
        queues: The dispatcher of each pool.
        sampler: Has measured the workers.
        ground: Knows what waits, what is usual, and what was kept.
    """

    def __init__(self, queues: Mapping[str, Dispatcher], sampler: Sampler, ground: Ground) -> None:
        self._queues = queues
        self._ground = ground
        self._clock = ground.clock
        self._tiles = Tiles(ground.clock, sampler, ground.usual)
        self._places: defaultdict[str, Seats] = defaultdict(Seats)
        self._since = notices.Since()

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

    def attention(self) -> tuple[Notice, ...]:
        """Return what needs attention beside the pools."""
        recorder, log_file = self._ground.recorder, self._ground.log_file
        displacement = self._ground.database.standing.displacement
        return (
            *notices.of_store(displacement, recorder.trouble, recorder.lag.seconds()),
            *notices.of_log_file(log_file.trouble if log_file else None),
            *notices.of_errors(self._ground.errors.returned(), self._clock.now()),
        )

    def refresh(self, pool: str) -> None:
        """Note which workers of a pool are gone and new; called when that may have changed."""
        if queue := self._queues.get(pool):
            self._places[pool].refresh(queue.pool.staffed, queue.pool.spec.workers)

    def _pool(self, queue: Dispatcher) -> PoolHealth:
        name = queue.pool.spec.name
        self.refresh(name)
        pool = queue.pool.snapshot()
        workers = self._tiles.of(pool.workers, self._places[name], queue.in_hand.fraction)
        health = PoolHealth(
            name=name,
            kind=pool.spec.kind,
            size=pool.spec.size,
            state=pool.state,
            reason=pool.reason,
            busy=pool.busy,
            queued=self._ground.tally.number(name, State.QUEUED),
            oldest_wait=self._oldest_wait(queue),
            incidents=self._ground.incidents.number(name),
            workers=workers,
            spare=sum(worker.state == WorkerState.SPARE for worker in workers),
            restarts=self._places[name].restarts,
            dead=tuple(self._dead(name)),
            ctx_switches_per_s=_switches(workers),
            recent=self._ground.history.recent(name),
            controls=self._ground.controls.of(name),
        )
        return replace(health, notices=self._notices(health))

    def _notices(self, pool: PoolHealth) -> tuple[Notice, ...]:
        now = self._clock.now()
        found = [*notices.of_pool(pool)]
        found += [notices.on_hold(hold, pool.name, now) for hold in self._holds_in(pool.name)]
        return self._since.fill(pool.name, found, self._clock.monotonic())

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
        return max(0.0, seconds(self._clock.now() - oldest.ready_at))

    def _dead(self, pool: str) -> Iterator[DeadWorker]:
        for incident in self._ground.incidents.latest(pool, _DEAD_SECONDS):
            culprit = incident.culprit.function if incident.culprit else None
            yield DeadWorker(incident.worker, incident.id, incident.cause, culprit)


def _switches(workers: tuple[WorkerHealth, ...]) -> SwitchRates | None:
    rates = [rate for worker in workers if (rate := worker.ctx_switches_per_s)]
    if not rates:
        return None
    return SwitchRates(
        sum(rate.voluntary for rate in rates), sum(rate.involuntary for rate in rates)
    )
