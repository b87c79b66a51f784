"""How long a no-op takes on an idle server, from the request to its outcome in the answer."""

import statistics

from bench import disk
from bench.batches import NOOP
from bench.figures import Figure, percentile
from bench.load import Plan, generate, post
from bench.processes import Pooldeck, pooldeck
from bench.scale import Scale

_WARM_UP = 20


def measure(scale: Scale) -> list[Figure]:
    """Measure `?wait=5`, one at a time, in each kind of pool."""
    with pooldeck(scale.folder / "latency") as server:
        figures = [
            figure
            for pool, kind in (("cpu", "process"), ("io", "thread"))
            for figure in _figures(kind, _latencies(server, pool, scale.latencies))
        ]
    return [*figures, disk.measure(scale.folder, scale.latencies)]


def _figures(kind: str, milliseconds: list[float]) -> list[Figure]:
    name = f"a no-op alone, {kind} pool"
    return [
        Figure(f"{name}: median", statistics.median(milliseconds), "ms", at_most=4),
        Figure(f"{name}: 95th percentile", percentile(milliseconds, 95), "ms"),
    ]


def _latencies(server: Pooldeck, pool: str, count: int) -> list[float]:
    request = post("/api/v1/tasks?wait=5", {"function": NOOP, "pool": pool})
    load = generate(Plan(server.port, [request], _WARM_UP + count), wanted=[200])
    return [1000 * seconds for seconds in load.latencies[_WARM_UP:]]
