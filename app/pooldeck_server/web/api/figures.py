"""The families of figures that are counted since the start: tasks, slots, HTTP, lags, the build."""

import platform
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from math import inf
from typing import Any, Final, TypeAlias

from prometheus_client.core import CounterMetricFamily as _Counter
from prometheus_client.core import GaugeMetricFamily as _Gauge
from prometheus_client.core import HistogramMetricFamily, Metric

from pooldeck_server.domain.measurements.cumulative import CumulativeHistogram
from pooldeck_server.domain.pools.health import POOL_STATES, WORKER_STATES, PoolHealth
from pooldeck_server.runtime.live.figures import Figures
from pooldeck_server.web.http.requests import Requests

PREFIX: Final = "pooldeck_"
Labels: TypeAlias = Sequence[str]
_POOL_FUNCTION: Final = ("pool", "function")
_FREE, _BUSY, _ABANDONED = "free", "busy", "abandoned"


def family(
    kind: type[_Gauge | _Counter],
    name: str,
    words: str,
    labels: Labels,
    figures: Iterable[tuple[Labels, float]],
) -> Metric:
    """Return a family: of each series, the values of its labels and its figure."""
    made = kind(f"{PREFIX}{name}", words, labels=labels)
    for values, figure in figures:
        made.add_metric(values, figure)
    return made


def one(kind: type[_Gauge | _Counter], name: str, words: str, figure: float) -> Metric:
    """Return a family of one series that has no labels."""
    return family(kind, name, words, (), [((), figure)])


def histograms(
    name: str, words: str, labels: Labels, found: Mapping[Any, CumulativeHistogram]
) -> Metric:
    """Return a family of histograms, by the values of their labels."""
    made = HistogramMetricFamily(f"{PREFIX}{name}", words, labels=labels)
    for values, histogram in found.items():
        buckets = [(_bound(bound), number) for bound, number in histogram.buckets()]
        made.add_metric(values, buckets, histogram.total)
    return made


def _bound(bound: float) -> str:
    return "+Inf" if bound == inf else f"{bound:.16g}" if bound % 1 else f"{bound:.1f}"


def of_tasks(figures: Figures) -> Iterator[Metric]:
    """Yield what went through the pools."""
    series = figures.tasks.series
    submitted = ((key, each.submitted) for key, each in series.items())
    waits = {key: each.waits for key, each in series.items()}
    runs = {key: each.runs for key, each in series.items()}
    words = "Tasks submitted since the server started."
    yield family(_Counter, "tasks_submitted", words, _POOL_FUNCTION, submitted)
    words = "Seconds that attempts waited for a slot, since then."
    yield histograms("task_wait_seconds", words, _POOL_FUNCTION, waits)
    words = "Seconds that attempts ran, since then."
    yield histograms("task_run_seconds", words, _POOL_FUNCTION, runs)
    words = "Attempts that failed or were lost since then, by kind of error."
    yield family(_Counter, "attempt_errors", words, ("pool", "kind"), figures.tasks.errors.items())


def of_slots(pools: Sequence[PoolHealth]) -> Iterator[Metric]:
    """Yield what the pools' slots and workers do, and which state each pool is in."""
    slots = (((pool.name, state), n) for pool in pools for state, n in _slots(pool).items())
    yield family(_Gauge, "pool_slots", "Slots by what they do.", ("pool", "state"), slots)
    workers = (((pool.name, state), n) for pool in pools for state, n in _workers(pool).items())
    yield family(_Gauge, "pool_workers", "Workers by state.", ("pool", "state"), workers)
    states = (((pool.name, state), pool.state == state) for pool in pools for state in POOL_STATES)
    words = "1 for the state that the pool is in, 0 for the others."
    yield family(_Gauge, "pool_state", words, ("pool", "state"), states)
    restarts = (((pool.name,), pool.restarts) for pool in pools)
    words = "Workers that were replaced since the server started."
    yield family(_Counter, "worker_restarts", words, ("pool",), restarts)


def _slots(pool: PoolHealth) -> Mapping[str, int]:
    slots = [slot for worker in pool.workers for slot in worker.slots]
    abandoned = sum(slot.abandoned for slot in slots)
    return {_BUSY: pool.busy, _FREE: max(0, pool.size - pool.busy), _ABANDONED: abandoned}


def _workers(pool: PoolHealth) -> Mapping[str, int]:
    counts = Counter(worker.state for worker in pool.workers)
    return {state: counts[state] for state in WORKER_STATES}


def of_deaths(figures: Figures) -> Iterator[Metric]:
    words = "Unexpected deaths of workers since the server started, by kind."
    yield family(_Counter, "worker_deaths", words, ("pool", "kind"), figures.deaths.items())


def of_lags(figures: Figures) -> Iterator[Metric]:
    """Yield how long the writer and the event loop let others wait."""
    words = "Seconds that the writer's commits took."
    yield histograms("commit_duration_seconds", words, (), {(): figures.commits})
    words = "Seconds by which the event loop was late, looked at twice a second."
    yield histograms("event_loop_lag_seconds", words, (), {(): figures.loop_lag})


def of_requests(requests: Requests, refused: Mapping[str, int], streams: int) -> Iterator[Metric]:
    """Yield what was asked over HTTP, and what was refused before the app saw it."""
    counts = (
        ((method, route, str(status)), n) for (method, route, status), n in requests.counts.items()
    )
    words = "HTTP requests since the start, by the route that answered."
    yield family(_Counter, "http_requests", words, ("method", "route", "status"), counts)
    words = "Seconds until an answer began."
    labels = ("method", "route")
    yield histograms("http_request_duration_seconds", words, labels, requests.seconds)
    by_code = (((code,), n) for code, n in refused.items())
    words = "Requests and connections refused before they reached a route, by code."
    yield family(_Counter, "http_refused", words, ("code",), by_code)
    yield one(_Gauge, "live_streams", "Browsers and programs that follow live.", streams)


def of_the_build() -> Metric:
    values = (version("pooldeck"), platform.python_version(), sqlite3.sqlite_version)
    labels = ("version", "python", "sqlite")
    words = "1; the versions are its labels."
    return family(_Gauge, "build_info", words, labels, [(values, 1)])
