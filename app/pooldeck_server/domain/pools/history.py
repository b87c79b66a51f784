"""History: what is measured of pools, in stretches of time, and what charts ask of it.

A stretch is `seconds` long and begins `at` seconds after the epoch, a multiple of `seconds`. Pools
are measured in stretches of ten seconds; longer ones are made from shorter ones. Durations are in
seconds.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, TypeAlias, get_args

from msgspec import Struct

from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.measurements.histograms import from_text, joined, to_text
from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.tasks.states import State

STRETCH: Final = 10
"""Seconds of the shortest stretches."""

STEPS: Final[Mapping[int, int]] = {900: 10, 3600: 10, 21600: 120, 86400: 600, 604800: 3600}
"""The periods that a chart can show, in seconds, and how far apart its points are.

Each step is a length of stretches that are kept for the period, so that a point of a chart is one
stretch, and a chart has at most 360 of them.
"""

KEPT: Final[Mapping[int, int]] = {
    STRETCH: 3 * 3600,
    120: 12 * 3600,
    600: 3 * 86400,
    3600: 35 * 86400,
}
"""For how many seconds stretches of each length are kept; each length divides the next."""

Series: TypeAlias = Literal[
    "throughput",
    "failures",
    "wait_p50",
    "wait_p95",
    "run_p50",
    "run_p95",
    "queued",
    "oldest_wait",
    "utilization",
    "busy",
    "size",
    "cpu",
    "memory",
    "switches",
]
Grouping: TypeAlias = Literal["none", "pool", "function", "state"]

UNITS: Final[Mapping[Series, str]] = {
    "throughput": "per s",
    "failures": "per s",
    "wait_p50": "s",
    "wait_p95": "s",
    "run_p50": "s",
    "run_p95": "s",
    "queued": "tasks",
    "oldest_wait": "s",
    "utilization": "share",
    "busy": "slots",
    "size": "slots",
    "cpu": "percent",
    "memory": "bytes",
    "switches": "per s",
}
COUNTED: Final[Mapping[Series, tuple[State, ...]]] = {
    "throughput": (State.SUCCEEDED, State.FAILED, State.CANCELLED, State.LOST),
    "failures": (State.FAILED, State.LOST),
}
"""The series that count ends, and in which states."""

SPREAD: Final[Mapping[Series, tuple[Literal["wait", "run"], float]]] = {
    "wait_p50": ("wait", 0.5),
    "wait_p95": ("wait", 0.95),
    "run_p50": ("run", 0.5),
    "run_p95": ("run", 0.95),
}
"""The series that are percentiles, and of what; the rest are samples, which only pools have."""


class PoolSample(Struct, frozen=True, array_like=True, gc=False):
    """A pool over a stretch: means, but `oldest_wait` is the highest; switches are per second."""

    seconds: int
    at: int
    pool: str
    slots: float
    busy: float
    queued: float
    oldest_wait: float
    cpu_percent: float
    rss_bytes: float
    voluntary: float
    involuntary: float


class Flow(Struct, frozen=True, array_like=True, gc=False):
    """What went through a pool of a function in a stretch; histograms of waits and runs as text."""

    seconds: int
    at: int
    pool: str
    function: str
    submitted: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    lost: int = 0
    wait: str = ""
    run: str = ""


class Stretch(Struct, frozen=True):
    """All pools over one stretch."""

    samples: tuple[PoolSample, ...]
    flows: tuple[Flow, ...]


class Recent(Struct, frozen=True):
    """A pool in the last minutes, as the deck shows it.

    `throughput` (ends per second) and `utilization` (0 to 1) are of the last minute, the
    percentiles (seconds; None: there was none) of the last five, and `spark` is the throughput of
    each ten seconds of the last fifteen, oldest first, shorter soon after the start. `failed` is
    how many failed or were lost in these fifteen minutes.
    """

    throughput: float
    wait_p95: float | None
    run_p95: float | None
    utilization: float
    spark: tuple[float, ...]
    failed: int = 0


class ChartRequest(Struct, frozen=True):
    """Which series a chart shows, of the last `period` seconds, with a line for each of what.

    `pools` and `functions` narrow it, where they are named.
    """

    series: Series = "throughput"
    period: int = 3600
    by: Grouping = "none"
    pools: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()

    @property
    def step(self) -> int:
        """Return how many seconds its points are apart."""
        return STEPS[self.period]

    def check(self) -> None:
        """Refuse what cannot be shown.

        Raises:
            InvalidRequest: If there is no such period, or the series is not known in that way.
        """
        if self.period not in STEPS:
            periods = ", ".join(map(str, STEPS))
            raise InvalidRequest(f"period: {self.period} is none of {periods}", parameter="period")
        known = groupings(self.series)
        if self.by not in known:
            raise InvalidRequest(
                f"by: {self.series} is not known by {self.by}; there is: {', '.join(known)}",
                parameter="by",
            )
        if self.functions and "function" not in known:
            raise InvalidRequest(
                f"function: {self.series} is known of pools only; leave the function out",
                parameter="function",
            )


class ChartLine(Struct, frozen=True):
    """A line of a chart: a value for each point, None where there is none."""

    name: str
    values: tuple[float | None, ...]


class Chart(Struct, frozen=True):
    """A series over time: `at` says where its points begin (seconds since the epoch)."""

    series: Series
    unit: str
    period: int
    step: int
    at: tuple[int, ...]
    lines: tuple[ChartLine, ...]
    annotations: tuple[StoredAnnotation, ...] = ()


def groupings(series: Series) -> tuple[Grouping, ...]:
    if series in COUNTED:
        return get_args(Grouping)
    return ("none", "pool", "function") if series in SPREAD else ("none", "pool")


def merged_samples(samples: Sequence[PoolSample], seconds: int, at: int) -> PoolSample:
    """Return a pool over the longer stretch that its `samples` are parts of."""

    def mean(values: Iterable[float]) -> float:
        return sum(values) / len(samples)

    return PoolSample(
        seconds=seconds,
        at=at,
        pool=samples[0].pool,
        slots=mean(sample.slots for sample in samples),
        busy=mean(sample.busy for sample in samples),
        queued=mean(sample.queued for sample in samples),
        oldest_wait=max(sample.oldest_wait for sample in samples),
        cpu_percent=mean(sample.cpu_percent for sample in samples),
        rss_bytes=mean(sample.rss_bytes for sample in samples),
        voluntary=mean(sample.voluntary for sample in samples),
        involuntary=mean(sample.involuntary for sample in samples),
    )


def merged_flows(flows: Sequence[Flow], seconds: int, at: int) -> Flow:
    """Return what went through in the longer stretch that `flows` (of one kind) are parts of."""
    return Flow(
        seconds=seconds,
        at=at,
        pool=flows[0].pool,
        function=flows[0].function,
        submitted=sum(flow.submitted for flow in flows),
        succeeded=sum(flow.succeeded for flow in flows),
        failed=sum(flow.failed for flow in flows),
        cancelled=sum(flow.cancelled for flow in flows),
        lost=sum(flow.lost for flow in flows),
        wait=to_text(from_text(joined(flow.wait for flow in flows))),
        run=to_text(from_text(joined(flow.run for flow in flows))),
    )
