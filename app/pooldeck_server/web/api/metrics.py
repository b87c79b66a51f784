"""For machines that watch: alive, ready, and figures for Prometheus."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily as _Counter
from prometheus_client.core import GaugeMetricFamily as _Gauge
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from pooldeck_server.domain.measurements.figures import Count
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.runtime.server import Server
from pooldeck_server.runtime.tasks.counts import Counts
from pooldeck_server.store import queries
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.http.responses import Responses, bad

router = APIRouter(tags=["observing"])

_MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_POOL: Final = ("pool",)
_WORKER: Final = ("pool", "worker")
_TASK: Final = ("pool", "function", "state")
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
        server, pools = self._server, self._server.health.all()
        kept = (((each.pool, each.function, each.state), each.n) for each in self._counts)
        yield _family(_Gauge, "tasks", "Tasks that are kept.", _TASK, kept)
        yield from _ends_and_reruns(server.counts)
        yield from _pools(pools)
        yield from _workers(pools)
        deaths = (((pool.name,), pool.incidents) for pool in pools)
        yield _family(_Counter, "incidents", "Unexpected deaths of workers.", _POOL, deaths)
        yield _one(
            _Gauge, "functions_on_hold", "Functions whose tasks wait.", len(server.holds.all())
        )
        dropped = server.log_file.dropped if server.log_file else 0
        words = "Lines that the log file does not have, since the start."
        yield _one(_Counter, "log_lines_dropped", words, dropped)
        database = server.database
        yield _one(_Gauge, "database_bytes", "Size of the database.", database.size_bytes)
        yield _one(_Gauge, "wal_bytes", "Size of the write-ahead log.", database.wal_bytes)


def _ends_and_reruns(tally: Counts) -> Iterator[Metric]:
    """Yield what only rises: a retry takes a task from the kept ones of a state, not from these."""
    words = "Ends of tasks since the server started."
    yield _family(_Counter, "tasks_ended", words, _TASK, tally.ends.items())
    words = "Attempts that the server began by itself, since then."
    yield _family(_Counter, "reruns", words, _TASK[:2], tally.reruns.items())


def _pools(pools: Sequence[PoolHealth]) -> Iterator[Metric]:
    for name, words, value in (
        ("size", "Slots of the pool.", lambda pool: pool.size),
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


def _family(
    kind: type[_Gauge | _Counter],
    name: str,
    words: str,
    labels: Sequence[str],
    figures: Iterable[tuple[Sequence[str], float]],
) -> Metric:
    family = kind(f"pooldeck_{name}", words, labels=labels)
    for values, figure in figures:
        family.add_metric(values, figure)
    return family


def _one(kind: type[_Gauge | _Counter], name: str, words: str, figure: float) -> Metric:
    return _family(kind, name, words, (), [((), figure)])
