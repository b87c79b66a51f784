"""How long a no-op takes on an idle server, from the request to its outcome in the answer.

The client waits within its request (`?wait=`): the answer comes when the end is committed, and
nobody asks again and again. Two commits and two exchanges are what the way takes at least, stored
and ended, asked for and answered: so two synced writes of this disk and two calls of an empty
application are what it is compared with, in turn. `pooldeck.Client` is measured beside it.
"""

import statistics
import time
from collections import defaultdict

from bench import disk
from bench.batches import NOOP
from bench.figures import Figure, of_rounds, percentile, ratios
from bench.functions import skip
from bench.load import Plan, generate, post
from bench.processes import Pooldeck, Server, application, pooldeck
from bench.scale import Scale
from pooldeck import Client

_KINDS = {"process": "cpu", "thread": "io"}


def measure(scale: Scale) -> list[Figure]:
    """Measure no-ops one at a time, in each kind of pool, and what they are compared with."""
    found: defaultdict[str, list[list[float]]] = defaultdict(list)
    number = max(1, scale.latencies // scale.rounds)
    with (
        pooldeck(scale.folder / "latency") as server,
        application("empty", scale.folder / "empty") as empty,
        Client(f"http://127.0.0.1:{server.port}") as client,
    ):
        for _ in range(1 + scale.rounds):  # the first round finds cold caches
            for kind, pool in _KINDS.items():
                found[kind].append(_waited_for(server, pool, number))
            found["client"].append(_by_client(client, number))
            found["empty"].append(_called(empty, number))
            found["disk"].append([disk.measure(scale.folder, number).value])
    return _figures({side: rounds[1:] for side, rounds in found.items()})


def _figures(found: dict[str, list[list[float]]]) -> list[Figure]:
    medians = {side: [*map(statistics.median, rounds)] for side, rounds in found.items()}
    floor = [
        2 * (call + write) for call, write in zip(medians["empty"], medians["disk"], strict=True)
    ]
    figures = []
    for kind in _KINDS:
        name = f"a no-op alone, {kind} pool"
        every = [ms for part in found[kind] for ms in part]
        figures += [
            of_rounds(f"{name}: median", medians[kind], "ms", at_most=4),
            Figure(f"{name}: 95th percentile", percentile(every, 95), "ms"),
            of_rounds(
                "  over two writes and two calls", ratios(medians[kind], floor), "", at_most=1
            ),
        ]
    return [
        *figures,
        of_rounds("  by pooldeck.Client: median", medians["client"], "ms"),
        of_rounds("one call of an empty FastAPI application", medians["empty"], "ms"),
        of_rounds("one synced write, this disk: median", medians["disk"], "ms"),
    ]


def _waited_for(server: Pooldeck, pool: str, count: int) -> list[float]:
    request = post("/api/v1/tasks?wait=5", {"function": NOOP, "pool": pool})
    return _milliseconds(server, request, count, 200)


def _called(empty: Server, count: int) -> list[float]:
    return _milliseconds(empty, post("/api/v1/tasks", {"function": NOOP}), count, 202)


def _milliseconds(server: Server, request: bytes, count: int, status: int) -> list[float]:
    load = generate(Plan(server.port, [request], count), wanted=[status])
    return [1000 * seconds for seconds in load.latencies]


def _by_client(client: Client, count: int) -> list[float]:
    took = []
    for number in range(count):
        began = time.perf_counter()
        client.submit(skip, number).result()
        took.append(1000 * (time.perf_counter() - began))
    return took
