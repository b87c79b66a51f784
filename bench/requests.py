"""How many submissions a second are taken one by one, each acknowledged after its commit.

The tasks run meanwhile, on the same CPUs. What taking them costs without that is measured too, with
tasks that stay queued because another one occupies their pool.
"""

from collections import defaultdict

from bench.batches import NOOP
from bench.figures import Figure, of_rounds, ratios
from bench.load import Load, Plan, generate, post
from bench.processes import Pooldeck, Server, application, pooldeck, wait_until
from bench.scale import Scale

_CONNECTIONS = 16
_LONGEST = 120.0  # seconds
_RUNS = post("/api/v1/tasks", {"function": NOOP})
_STAYS_QUEUED = post("/api/v1/tasks", {"function": NOOP, "pool": "held"})
_OCCUPIES = post("/api/v1/tasks", {"function": "bench.functions.occupy"})


def measure(scale: Scale) -> list[Figure]:
    """Measure one task per request against an empty FastAPI application and against uvicorn."""
    loads: defaultdict[str, list[Load]] = defaultdict(list)
    with (
        pooldeck(scale.folder / "requests") as server,
        application("empty", scale.folder / "empty") as empty,
        application("bare", scale.folder / "bare") as bare,
    ):
        generate(Plan(server.port, [_OCCUPIES], 1), wanted=[202])
        _load_and_run(server, _CONNECTIONS)
        for other in (empty, bare):
            _load(other, _RUNS, _CONNECTIONS)  # the first requests find cold caches
        for _ in range(scale.rounds):
            loads["runs"].append(_load_and_run(server, scale.requests))
            loads["queues"].append(_load(server, _STAYS_QUEUED, scale.requests))
            loads["empty"].append(_load(empty, _RUNS, scale.requests))
            loads["bare"].append(_load(bare, _RUNS, scale.requests))
    return _figures(loads)


def _load(server: Server, request: bytes, count: int) -> Load:
    return generate(Plan(server.port, [request], count, _CONNECTIONS), wanted=[202])


def _load_and_run(server: Pooldeck, count: int) -> Load:
    """Submit tasks that run, and wait until they have."""
    wanted = server.record.number("succeeded", NOOP) + count
    load = _load(server, _RUNS, count)
    wait_until(lambda: server.record.number("succeeded", NOOP) == wanted, _LONGEST)
    return load


def _figures(loads: dict[str, list[Load]]) -> list[Figure]:
    rates = {side: [load.rate for load in found] for side, found in loads.items()}
    busiest = max(load.busy for load in loads["bare"])
    return [
        of_rounds("submissions, 16 connections", rates["runs"], "per s"),
        of_rounds("  empty FastAPI application", rates["empty"], "per s"),
        of_rounds("  ratio", ratios(rates["runs"], rates["empty"]), "", at_least=0.5),
        of_rounds("submissions whose tasks stay queued", rates["queues"], "per s"),
        of_rounds("  ratio", ratios(rates["queues"], rates["empty"]), ""),
        of_rounds("bare ASGI application", rates["bare"], "per s"),
        Figure("  load generator's share of a core there", busiest, "%"),
    ]
