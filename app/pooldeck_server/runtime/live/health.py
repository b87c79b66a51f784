"""The picture of all pools at this moment, put together from those who know each part of it."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from pooldeck.pools.model import WorkerState
from pooldeck_server.domain.clock import Clock, seconds
from pooldeck_server.domain.errors import NotFound, UnknownFunction, no_pool
from pooldeck_server.domain.notices import Notice
from pooldeck_server.domain.pools.controls import Hold
from pooldeck_server.domain.pools.health import (
    NO_CONTACT,
    DeadWorker,
    PoolHealth,
    SwitchRates,
    WorkerHealth,
)
from pooldeck_server.domain.pools.hosts import HostState
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.live import notices
from pooldeck_server.runtime.live.hosts import HostNews, hosts_of, no_news
from pooldeck_server.runtime.live.oldest import OldestWaits
from pooldeck_server.runtime.live.outdated import OutdatedCode
from pooldeck_server.runtime.live.recent import RecentMinutes
from pooldeck_server.runtime.live.sampler import Sampler
from pooldeck_server.runtime.live.seats import Seats
from pooldeck_server.runtime.live.tiles import Tiles
from pooldeck_server.runtime.tasks.counts import Counts
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.durations import RecentDurations
from pooldeck_server.runtime.tasks.functions import Functions
from pooldeck_server.runtime.tasks.holds import Holds
from pooldeck_server.runtime.tasks.incidents import Incidents
from pooldeck_server.runtime.tasks.pool_controls import KeptControls

_DEAD_SECONDS: Final = 8.0  # that a dead worker is shown


@dataclass(kw_only=True, eq=False)
class Health:
    """Health of every pool."""

    queues: Mapping[str, Dispatcher]
    clock: Clock
    sampler: Sampler
    durations: RecentDurations
    counts: Counts
    incidents: Incidents
    holds: Holds
    functions: Functions
    recent: RecentMinutes
    controls: KeptControls
    outdated: OutdatedCode
    oldest: OldestWaits
    host_news: Callable[[str], HostNews] = no_news  # of a pool, by its name
    _seats: defaultdict[str, Seats] = field(init=False, default_factory=lambda: defaultdict(Seats))
    _since: notices.Since = field(init=False, default_factory=notices.Since)

    def __post_init__(self) -> None:
        self._tiles = Tiles(self.clock, self.sampler, self.durations)

    def all(self) -> tuple[PoolHealth, ...]:
        return tuple(self._pool(queue) for queue in self.queues.values())

    def pool(self, name: str) -> PoolHealth:
        """Return the health of one pool.

        Raises:
            NotFound: If there is no such pool.
        """
        queue = self.queues.get(name)
        if queue is None:
            raise NotFound(no_pool(name, self.queues))
        return self._pool(queue)

    def refresh(self, pool: str) -> None:
        """Note which workers of a pool are gone and new; called when that may have changed."""
        if queue := self.queues.get(pool):
            spec = queue.pool.spec
            self._seats[pool].refresh(queue.pool.staffed, spec.workers)

    def _pool(self, queue: Dispatcher) -> PoolHealth:
        name = queue.pool.spec.name
        self.refresh(name)
        pool, news = queue.pool.snapshot(), self.host_news(name)
        hosts = hosts_of(name, pool.hosts, self.clock, news.refused)
        tiles = self._tiles.of(pool.workers, self._seats[name], queue.running.fraction)
        silent = {host.name for host in hosts or () if host.state is HostState.NO_CONTACT}
        workers = tuple(self._with_code(name, worker, silent) for worker in tiles)
        outgrown = notices.lately(pool.outgrown, self.clock.monotonic())
        health = PoolHealth(
            name=name,
            kind=pool.spec.kind,
            size=pool.spec.size,
            state=pool.state,
            reason=pool.reason,
            busy=pool.busy,
            queued=self.counts.number(name, State.QUEUED),
            oldest_wait=self.oldest.of(queue),
            incidents=self.incidents.number(name),
            workers=workers,
            spare=sum(worker.state == WorkerState.SPARE for worker in workers),
            restarts=self._seats[name].restarts,
            outgrown=len(outgrown),
            outgrown_bytes=max((each.rss_bytes for each in outgrown), default=0),
            max_memory_bytes=pool.spec.max_memory_bytes,
            dead=tuple(self._dead(name)),
            ctx_switches_per_s=_switches(workers),
            recent=self.recent.of(name),
            controls=self.controls.of(name),
            hosts=hosts,
            engine=news.engine,
            wanted_hosts=news.wanted,
        )
        return replace(health, notices=self._notices(health, queue))

    def _with_code(self, pool: str, worker: WorkerHealth, silent: Collection[str]) -> WorkerHealth:
        """Return a worker with its code; what it does is not known if its host is `silent`."""
        if worker.host in silent:
            worker = replace(worker, state=NO_CONTACT)
        version = self.functions.version_of(pool, worker.id)
        if version is None:
            return worker
        return replace(worker, code=version.id, is_outdated=self.outdated.is_outdated(version))

    def _notices(self, pool: PoolHealth, queue: Dispatcher) -> tuple[Notice, ...]:
        now = self.clock.now()
        found = [*notices.of_pool(pool)]
        found += notices.of_backlog(pool, self._waited(queue))
        found += notices.of_waiting(pool.name, queue.unschedulable.counts, queue.obstacle)
        found += notices.of_code(pool, self._changed_files(pool))
        found += notices.of_hosts(pool, now)
        found += [notices.on_hold(hold, pool.name, now) for hold in self._holds_in(pool.name)]
        return self._since.fill(pool.name, found, self.clock.monotonic())

    def _waited(self, queue: Dispatcher) -> float | None:
        """Return for how many seconds the oldest task has waited that needs but a slot."""
        if (oldest := queue.oldest) is None:
            return None
        return seconds(self.clock.now() - max(oldest.created_at, oldest.run_at or 0))

    def _changed_files(self, pool: PoolHealth) -> list[str]:
        versions = {self.functions.version_of(pool.name, worker.id) for worker in pool.workers}
        found = (self.outdated.changed_files(version) for version in versions if version)
        return sorted({path for paths in found for path in paths})

    def _holds_in(self, pool: str) -> Iterator[Hold]:
        """Yield the holds on functions that run in this pool unless a submission says otherwise."""
        for hold in self.holds.all():
            with suppress(UnknownFunction):  # it is on hold from times when there was such a one
                if self.functions.catalogue.get(hold.function).pool == pool:
                    yield hold

    def _dead(self, pool: str) -> Iterator[DeadWorker]:
        for incident in self.incidents.latest(pool, _DEAD_SECONDS):
            culprit = incident.culprit.function if incident.culprit else None
            yield DeadWorker(incident.worker, incident.id, incident.cause, culprit)


def _switches(workers: tuple[WorkerHealth, ...]) -> SwitchRates | None:
    rates = [rate for worker in workers if (rate := worker.ctx_switches_per_s)]
    if not rates:
        return None
    return SwitchRates(
        sum(rate.voluntary for rate in rates), sum(rate.involuntary for rate in rates)
    )
