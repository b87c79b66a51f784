"""For machines that watch: alive, ready, and figures for Prometheus."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily as _Counter
from prometheus_client.core import GaugeMetricFamily as _Gauge
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from pooldeck_server.domain.clock import SECOND
from pooldeck_server.domain.measurements.figures import Count
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.runtime.recording.backups import Backups
from pooldeck_server.runtime.retention.retention import Retention
from pooldeck_server.runtime.retention.storage import Storage
from pooldeck_server.runtime.server import Server
from pooldeck_server.runtime.tasks.counts import Counts
from pooldeck_server.runtime.tasks.totals import FunctionNames
from pooldeck_server.store import queries
from pooldeck_server.web.api import figures, host_figures, outbox_figures
from pooldeck_server.web.api.figures import family as _family
from pooldeck_server.web.api.figures import one as _one
from pooldeck_server.web.api.probes import is_alive, is_ready
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.http.responses import Responses, bad

router = APIRouter(tags=["observing"])

_POOL: Final = ("pool",)
_WORKER: Final = ("pool", "worker")
_TASK: Final = ("pool", "function", "state")
_STATUS: Final = {"application/json": {"example": {"status": "ok"}}}
_FIGURES: Final[Responses] = {
    200: {
        "description": "Figures in Prometheus's text format; as OpenMetrics where accepted.",
        "content": {"text/plain": {}, "application/openmetrics-text": {}},
    }
}


router.add_api_route(
    "/healthz", is_alive, responses={200: {"description": "Alive.", "content": _STATUS}}
)
router.add_api_route(
    "/readyz", is_ready, responses={503: {"description": "Not ready.", "content": _STATUS}}
)


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses=_FIGURES | bad(401, 403, 421, 429, 431, 503),
)
async def show_metrics(request: Request, server: ServerDep) -> Response:
    """Give Prometheus its figures.

    They are taken in one turn of the event loop, and put into words on another thread: that takes
    longer.
    """
    counts = await server.read(queries.counts)
    waiting = await server.read(queries.outbox)
    families = [
        *_Figures(server, counts).collect(),
        *outbox_figures.of_outbox(server, waiting),
        *_of_web(request, server),
    ]
    encode, media_type = choose_encoder(request.headers.get("accept", ""))
    text = await asyncio.to_thread(_text, families, encode)
    return Response(text, headers={"content-type": media_type})


def _text(families: Sequence[Metric], encode: Callable[[CollectorRegistry], bytes]) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Families(families))
    ProcessCollector(registry=registry)
    return encode(registry)


def _of_web(request: Request, server: Server) -> Iterator[Metric]:
    state = request.app.state
    bounds = getattr(state, "bounds", None)  # None where another server than ours serves the app
    refused: Mapping[str, int] = bounds.refusals.counts if bounds else {}
    yield from figures.of_requests(state.requests, refused, server.frames.subscribers)
    yield _one(_Gauge, "watches", "Clients that wait for ends of tasks.", len(server.watches))
    words = "Tasks that they wait for."
    yield _one(_Gauge, "watched_tasks", words, server.watches.tasks)
    connections = len(bounds.crowd) if bounds else 0
    yield _one(_Gauge, "http_connections", "Open connections.", connections)


class _Families(Collector):
    """Families that have been made."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """Return them."""
        return self._families


class _Figures:
    """The figures of one moment."""

    def __init__(self, server: Server, counts: Sequence[Count]) -> None:
        self._server = server
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """Yield one family after another."""
        server, pools = self._server, self._server.health.all()
        names = server.figures.tasks.functions
        kept = {(each.pool, each.function, each.state): each.n for each in self._counts}
        words = "Tasks that are kept."
        yield _family(_Gauge, "tasks", words, _TASK, _named(kept, names).items())
        yield from figures.of_tasks(server.figures)
        yield from _ends_and_reruns(server.counts, names)
        yield from _pools(pools)
        yield from figures.of_slots(pools)
        limits = (((name,), pool.queue_limit) for name, pool in server.settings.pools.items())
        words = "Tasks that may wait; more are refused."
        yield _family(_Gauge, "pool_queue_limit", words, _POOL, limits)
        yield from _workers(pools)
        yield from host_figures.of_hosts(pools, server.clock.now())
        deaths = (((pool.name,), pool.incidents) for pool in pools)
        yield _family(_Counter, "incidents", "Unexpected deaths of workers.", _POOL, deaths)
        yield from figures.of_deaths(server.figures)
        yield from figures.of_lags(server.figures)
        yield figures.of_the_build()
        held = server.holds.all()
        refused = sum(hold.refuses for hold in held)
        words = "Functions whose tasks wait, and whose new ones are refused."
        yield _one(_Gauge, "functions_on_hold", words, refused)
        words = "Functions that somebody paused: their tasks wait, and new ones are taken."
        yield _one(_Gauge, "functions_paused", words, len(held) - refused)
        dropped = server.log_file.dropped if server.log_file else 0
        words = "Lines that the log file does not have, since the start."
        yield _one(_Counter, "log_lines_dropped", words, dropped)
        size = server.log_file.size_bytes if server.log_file else 0
        yield _one(_Gauge, "log_file_bytes", "Size of the log file.", size)
        yield from _backups(server.backups)
        words = "1 while nothing runs, since a backup's tasks wait for a word: see /restored."
        yield _one(_Gauge, "restored_waiting", words, server.restored.waits_for_a_word)
        words = "1 while the server is drained: it takes nothing new."
        yield _one(_Gauge, "drained", words, server.drain.is_on)
        database = server.database
        yield _one(_Gauge, "database_bytes", "Size of the database.", database.size_bytes)
        yield _one(_Gauge, "wal_bytes", "Size of the write-ahead log.", database.wal_bytes)
        yield from _room(server.storage)
        yield from _retention(server.retention)


def _room(storage: Storage) -> Iterator[Metric]:
    words = "Of the database, what is free for new tasks."
    yield _one(_Gauge, "database_free_bytes", words, storage.room.free_bytes)
    words = "By how much what is in use grew a day, over the latest week; 0 while it is unknown."
    growth = storage.growth_per_day or 0
    yield _one(_Gauge, "database_growth_bytes_per_day", words, growth)
    if storage.disk_free_bytes is not None:
        words = "Free on the disk of the database."
        yield _one(_Gauge, "disk_free_bytes", words, storage.disk_free_bytes)


def _retention(retention: Retention) -> Iterator[Metric]:
    deleted = (((state,), retention.deleting.ends[state]) for state in State if state in FINAL)
    words = "Tasks that were deleted since the server started."
    yield _family(_Counter, "tasks_deleted", words, ("state",), deleted)
    words = "1 while nothing is deleted, since somebody has to say yes first: see /retention."
    yield _one(_Gauge, "retention_waiting", words, retention.waits_for_a_word)
    leap = retention.vouched.leap
    words = (
        "By how much the clock is ahead of what was known, where that is doubted: see /retention."
    )
    ahead = 0.0 if leap is None else (leap.to - leap.since) / SECOND
    yield _one(_Gauge, "clock_ahead_seconds", words, ahead)


def _backups(backups: Backups | None) -> Iterator[Metric]:
    made_at = (backups.last_at or 0) / SECOND if backups else 0
    words = "When the latest backup on the schedule was made; 0 before the first."
    yield _one(_Gauge, "backup_last_timestamp_seconds", words, made_at)
    size = backups.last.bytes if backups and backups.last else 0
    yield _one(_Gauge, "backup_last_bytes", "Size of that backup.", size)
    fails = backups is not None and backups.trouble is not None
    yield _one(_Gauge, "backup_failing", "1 while the one that is due cannot be made.", fails)


def _named(counts: Mapping[Any, int], names: FunctionNames) -> "Counter[tuple[str, ...]]":
    """Count those functions together that have no series of their own: pool, function, and so on.

    Those with the highest counts are named first.
    """
    named: Counter[tuple[str, ...]] = Counter()
    for (pool, function, *rest), number in sorted(counts.items(), key=itemgetter(1), reverse=True):
        named[pool, names.name(function), *rest] += number
    return named


def _ends_and_reruns(tally: Counts, names: FunctionNames) -> Iterator[Metric]:
    """Yield what only rises: a retry takes a task from the kept ones of a state, not from these."""
    words = "Ends of tasks since the server started."
    yield _family(_Counter, "tasks_ended", words, _TASK, _named(tally.ends, names).items())
    words = "Attempts that the server began by itself, since then."
    yield _family(_Counter, "reruns", words, _TASK[:2], _named(tally.reruns, names).items())


def _pools(pools: Sequence[PoolHealth]) -> Iterator[Metric]:
    for name, words, value in (
        ("size", "Slots of the pool.", lambda pool: pool.slots),
        ("busy", "Slots that run a task.", lambda pool: pool.busy),
        ("queued", "Tasks that wait for a slot.", lambda pool: pool.queued),
        ("oldest_wait_seconds", "How long the oldest of them waits.", _oldest_wait),
        ("spare", "Workers that are ready to take a dead one's place.", lambda pool: pool.spare),
        ("up", "1 while the pool is running, else 0.", lambda pool: pool.state == "running"),
    ):
        figures = (((pool.name,), value(pool)) for pool in pools)
        yield _family(_Gauge, f"pool_{name}", words, _POOL, figures)


def _oldest_wait(pool: PoolHealth) -> float:
    return pool.oldest_wait or 0.0


def _workers(pools: Sequence[PoolHealth]) -> Iterator[Metric]:
    for name, words, field in (
        ("resident_bytes", "Memory of a worker.", "rss_bytes"),
        ("cpu_percent", "CPU of a worker, 100 for one core.", "cpu_percent"),
    ):
        all_ = ((pool.name, worker) for pool in pools for worker in pool.workers)
        figures = (((pool, worker.id), getattr(worker, field)) for pool, worker in all_)
        known = (figure for figure in figures if figure[1] is not None)
        yield _family(_Gauge, f"worker_{name}", words, _WORKER, known)
