"""What asking for a token costs: submissions to a server that does, and to one that does not."""

from collections import defaultdict

from bench.batches import NOOP
from bench.figures import Figure, of_rounds, ratios
from bench.load import Plan, generate, post
from bench.processes import Pooldeck, pooldeck, wait_until
from bench.scale import Scale

_CONNECTIONS = 16
_LONGEST = 120.0  # seconds
_TOKEN = "of-a-measurement-on-loopback-and-of-nothing-else"


def measure(scale: Scale) -> list[Figure]:
    """Measure one task per request with and without a token, the two servers in turn."""
    rates: defaultdict[bool, list[float]] = defaultdict(list)
    with (
        pooldeck(scale.folder / "open") as free,
        pooldeck(scale.folder / "closed", token=_TOKEN) as closed,
    ):
        for server, token in ((free, None), (closed, _TOKEN)):
            _rate(server, _CONNECTIONS, token)  # the first requests find cold caches
        for number in range(2 * scale.rounds):
            # Whoever comes second finds a warmer machine, or one that a neighbour slows down.
            for asks in (False, True) if number % 2 else (True, False):
                server, token = (closed, _TOKEN) if asks else (free, None)
                rates[asks].append(_rate(server, scale.requests, token))
    return [
        of_rounds("submissions without a token, 16 connections", rates[False], "per s"),
        of_rounds("  with one", rates[True], "per s"),
        of_rounds("  ratio", ratios(rates[True], rates[False]), "", at_least=0.95),
    ]


def _rate(server: Pooldeck, count: int, token: str | None) -> float:
    """Submit tasks that run, and wait until they have."""
    wanted = server.record.number("succeeded", NOOP) + count
    request = post("/api/v1/tasks", {"function": NOOP}, token)
    load = generate(Plan(server.port, [request], count, _CONNECTIONS), wanted=[202])
    wait_until(lambda: server.record.number("succeeded", NOOP) == wanted, _LONGEST)
    return load.rate
