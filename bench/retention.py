"""What deleting costs: submissions beside a server that deletes years of tasks, and one that rests.

One server, whose rules are changed in turn: first nothing goes, then nearly all. Paced clients
say how long a submission takes, others that send as fast as they are answered say how many a server
takes.
"""

import contextlib
import http.client
import time

import msgspec

from bench import seed
from bench.batches import NOOP
from bench.figures import Figure, of_rounds, percentile, ratios
from bench.load import Load, Plan, generate, post
from bench.processes import Pooldeck, pooldeck
from bench.scale import Scale

_RUNS = post("/api/v1/tasks", {"function": NOOP})
_CONNECTIONS = 16
_PACED = 20  # connections
_PAUSE = 0.02  # seconds: together a thousand a second
_EVERYTHING_STAYS = {"succeeded": 0, "failed": 0, "cancelled": 0, "lost": 0, "most": 0}
_ALL_GOES = {"succeeded": 0.001, "failed": 0.001, "most": 0}


def measure(scale: Scale) -> list[Figure]:
    """Measure submissions without and with deletion, in turn, on a database with many tasks."""
    folder = scale.folder / "retention"
    with pooldeck(folder) as server:
        path = server.record.path
    seed.fill(path, scale.retention_tasks, 0)
    waits: dict[bool, list[float]] = {False: [], True: []}
    rates: dict[bool, list[float]] = {False: [], True: []}
    deleted = []
    with pooldeck(folder) as server:
        for _ in range(scale.size_rounds):
            for deletes in (False, True):
                _set(server, deletes=deletes)
                began, before = time.monotonic(), _deleted(server)
                paced = _load(server, scale.requests, _PACED, _PAUSE)
                waits[deletes].append(1000 * percentile(paced.latencies, 99))
                rates[deletes].append(_load(server, scale.requests, _CONNECTIONS).rate)
                if deletes:
                    deleted.append((_deleted(server) - before) / (time.monotonic() - began))
    return [
        of_rounds("submissions, 1,000 a second, p99", waits[False], "ms"),
        of_rounds("  while tasks are deleted", waits[True], "ms", at_most=100),
        of_rounds("submissions, 16 connections", rates[False], "per s"),
        of_rounds("  while tasks are deleted", rates[True], "per s"),
        of_rounds("  ratio", ratios(rates[True], rates[False]), "", at_least=0.8),
        of_rounds("tasks deleted meanwhile", deleted, "per s"),
    ]


def _load(server: Pooldeck, count: int, connections: int, pause: float = 0.0) -> Load:
    return generate(Plan(server.port, [_RUNS], count, connections, pause), wanted=[202])


def _set(server: Pooldeck, *, deletes: bool) -> None:
    """Change the rules, which count at once."""
    rules = msgspec.json.encode(_ALL_GOES if deletes else _EVERYTHING_STAYS)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    with contextlib.closing(connection):
        headers = {"content-type": "application/json"}
        connection.request("PUT", "/api/v1/retention", rules, headers)
        answer = connection.getresponse()
        if answer.status != http.client.OK:
            raise RuntimeError(f"the rules were not taken: {answer.read()[:500]!r}")


def _deleted(server: Pooldeck) -> float:
    """Return how many tasks the server has deleted so far."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
    found = (line for line in lines if line.startswith("pooldeck_tasks_deleted_total"))
    return sum(float(line.rpartition(" ")[2]) for line in found)
