"""How many submissions a second are taken one by one, each acknowledged after its commit."""

from bench.batches import NOOP
from bench.figures import Figure, of_rounds, ratios
from bench.load import Load, Plan, generate, post
from bench.processes import Pooldeck, Server, application, pooldeck, wait_until
from bench.scale import Scale

_CONNECTIONS = 16
_LONGEST = 120.0  # seconds


def measure(scale: Scale) -> list[Figure]:
    """Measure one task per request against an empty FastAPI application and against uvicorn."""
    ours: list[Load] = []
    empty: list[Load] = []
    bare: list[Load] = []
    with (
        pooldeck(scale.folder / "requests") as server,
        application("empty", scale.folder / "empty") as empty_server,
        application("bare", scale.folder / "bare") as bare_server,
    ):
        for any_server in (server, empty_server, bare_server):
            _load(any_server, _CONNECTIONS)  # the first requests find cold caches
        for _ in range(scale.rounds):
            _wait_until_idle(server)
            ours.append(_load(server, scale.requests))
            _wait_until_idle(server)
            empty.append(_load(empty_server, scale.requests))
            bare.append(_load(bare_server, scale.requests))
    return _figures(_rates(ours), _rates(empty), _rates(bare), max(load.busy for load in bare))


def _figures(
    ours: list[float], empty: list[float], bare: list[float], busiest: float
) -> list[Figure]:
    return [
        of_rounds("submissions, 16 connections", ours, "per s"),
        of_rounds("  empty FastAPI application", empty, "per s"),
        of_rounds("  ratio", ratios(ours, empty), "", at_least=0.5),
        of_rounds("  bare ASGI application", bare, "per s"),
        Figure("  load generator's share of a core there", busiest, "%"),
    ]


def _load(server: Server, count: int) -> Load:
    request = post("/api/v1/tasks", {"function": NOOP})
    return generate(Plan(server.port, [request], count, _CONNECTIONS), wanted=[202])


def _rates(loads: list[Load]) -> list[float]:
    return [load.rate for load in loads]


def _wait_until_idle(server: Pooldeck) -> None:
    record = server.record
    wait_until(lambda: record.number("succeeded", NOOP) == record.last(), _LONGEST)
