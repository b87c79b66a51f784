"""For machines that watch: alive, ready, and figures for Prometheus."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pooldeck_server.domain.measurements.figures import Count
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.runtime.recording.log_file import LogFile
from pooldeck_server.runtime.server import Server
from pooldeck_server.runtime.tasks.counts import Counts
from pooldeck_server.store import queries
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.http.responses import Responses, bad

router = APIRouter(tags=["observing"])

_MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_WORKER: Final = ("pool", "worker")


_STATUS: Final = {"application/json": {"example": {"status": "ok"}}}
_FIGURES: Final[Responses] = {200: {"description": "Figures in Prometheus's text format."}}


@router.get("/healthz", responses={200: {"description": "Alive.", "content": _STATUS}})
async def is_alive() -> Response:
    """Answer as long as the server does."""
    return Response(b'{"status":"ok"}', media_type="application/json")


@router.get("/readyz", responses={503: {"description": "Not ready.", "content": _STATUS}})
async def is_ready(server: ServerDep) -> Response:
    """Tell whether submissions are taken."""
    if server.takes_tasks:
        return Response(b'{"status":"ready"}', media_type="application/json")
    return Response(b'{"status":"not ready"}', 503, media_type="application/json")


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses=_FIGURES | bad(401, 421, 431, 503),
)
async def show_metrics(server: ServerDep) -> Response:
    """Give Prometheus its figures."""
    counts = await server.read(queries.counts)
    registry = CollectorRegistry()
    registry.register(_Figures(server, counts))
    ProcessCollector(registry=registry)
    return Response(generate_latest(registry), media_type=_MEDIA_TYPE)


class _Figures(Collector):
    """The figures of one moment; a registry asks for them once."""

    def __init__(self, server: Server, counts: Sequence[Count]) -> None:
        self._server = server
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """Yield one family after another."""
        yield _tasks(self._counts)
        yield from _ends_and_reruns(self._server.counts)
        yield from _pools(self._server.health.all())
        yield from _workers(self._server.health.all())
        yield _incidents(self._server.health.all())
        holds = len(self._server.holds.all())
        yield _one("pooldeck_functions_on_hold", "Functions whose tasks wait.", holds)
        yield _dropped_lines(self._server.log_file)
        database = self._server.database
        yield _one("pooldeck_database_bytes", "Size of the database.", database.size_bytes)
        yield _one("pooldeck_wal_bytes", "Size of the write-ahead log.", database.wal_bytes)


def _tasks(counts: Iterable[Count]) -> Metric:
    labels = ("pool", "function", "state")
    kept = GaugeMetricFamily("pooldeck_tasks", "Tasks that are kept.", labels=labels)
    for count in counts:
        kept.add_metric((count.pool, count.function, count.state), count.n)
    return kept


def _ends_and_reruns(tally: Counts) -> Iterator[Metric]:
    """Yield what only rises: a retry takes a task from the kept ones of a state, not from these."""
    labels = ("pool", "function")
    ended = CounterMetricFamily(
        "pooldeck_tasks_ended", "Ends of tasks since the server started.", labels=(*labels, "state")
    )
    for values, number in tally.ends.items():
        ended.add_metric(values, number)
    yield ended
    rerun = CounterMetricFamily(
        "pooldeck_reruns", "Attempts that the server began by itself, since then.", labels=labels
    )
    for pool_and_function, number in tally.reruns.items():
        rerun.add_metric(pool_and_function, number)
    yield rerun


def _pools(pools: Iterable[PoolHealth]) -> Iterator[Metric]:
    pools = tuple(pools)
    for name, words, value in (
        ("size", "Slots of the pool.", lambda pool: pool.size),
        ("busy", "Slots that run a task.", lambda pool: pool.busy),
        ("queued", "Tasks that wait for a slot.", lambda pool: pool.queued),
        ("oldest_wait_seconds", "How long the oldest of them waits.", _oldest_wait),
        ("spare", "Workers that are ready to take a dead one's place.", lambda pool: pool.spare),
        ("up", "1 while the pool is running, else 0.", lambda pool: pool.state == "running"),
    ):
        family = GaugeMetricFamily(f"pooldeck_pool_{name}", words, labels=("pool",))
        for pool in pools:
            family.add_metric((pool.name,), value(pool))
        yield family


def _incidents(pools: Iterable[PoolHealth]) -> Metric:
    deaths = CounterMetricFamily(
        "pooldeck_incidents", "Unexpected deaths of workers.", labels=("pool",)
    )
    for pool in pools:
        deaths.add_metric((pool.name,), pool.incidents)
    return deaths


def _dropped_lines(file: LogFile | None) -> Metric:
    dropped = CounterMetricFamily(
        "pooldeck_log_lines_dropped", "Lines that the log file does not have, since the start."
    )
    dropped.add_metric((), file.dropped if file else 0)
    return dropped


def _oldest_wait(pool: PoolHealth) -> float:
    return pool.oldest_wait or 0.0


def _workers(pools: Iterable[PoolHealth]) -> Iterator[Metric]:
    memory = GaugeMetricFamily(
        "pooldeck_worker_resident_bytes", "Memory of a worker.", labels=_WORKER
    )
    cpu = GaugeMetricFamily(
        "pooldeck_worker_cpu_percent", "CPU of a worker, 100 for one core.", labels=_WORKER
    )
    for pool in pools:
        for worker in pool.workers:
            if worker.rss_bytes is not None:
                memory.add_metric((pool.name, worker.id), worker.rss_bytes)
            if worker.cpu_percent is not None:
                cpu.add_metric((pool.name, worker.id), worker.cpu_percent)
    yield memory
    yield cpu


def _one(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value)
