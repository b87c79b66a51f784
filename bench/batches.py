"""How many tasks a second go all the way: in batches over HTTP, run, outcome committed."""

import time

from bench import executor
from bench.figures import Figure, of_rounds, ratios
from bench.load import Plan, generate, post
from bench.processes import Pooldeck, pooldeck, wait_until
from bench.scale import Scale

NOOP = "bench.functions.noop"

_BATCH = 1000
_CONNECTIONS = 4
_LONGEST = 120.0  # seconds


def measure(scale: Scale) -> list[Figure]:
    """Measure no-ops in batches of 1,000 against the stdlib's `ProcessPoolExecutor`."""
    ours, theirs = [], []
    with pooldeck(scale.folder / "batches") as server:
        rate(server, _BATCH)  # the first tasks find cold caches
        cpu = server.cpu_seconds()
        for _ in range(scale.rounds):
            ours.append(rate(server, scale.batch_tasks))
            theirs.append(executor.rate(scale.batch_tasks))
        cpu = server.cpu_seconds() - cpu
    return [
        of_rounds("no-ops in batches of 1,000, two processes", ours, "per s", at_least=5000),
        of_rounds("  ProcessPoolExecutor(2)", theirs, "per s"),
        of_rounds("  ratio", ratios(ours, theirs), "", at_least=0.8),
        Figure("  server's CPU per task", 1e6 * cpu / scale.rounds / scale.batch_tasks, "µs"),
    ]


def rate(server: Pooldeck, tasks: int) -> float:
    """Return the no-ops a second from the first request to the last committed outcome.

    Args:
        server: Where to submit them; it has nothing else to do.
        tasks: How many, in whole batches.
    """
    record = server.record
    last, before = record.last(), record.number("succeeded", NOOP)
    batch = {"tasks": [{"function": NOOP}] * min(_BATCH, tasks)}
    count = tasks // len(batch["tasks"])
    request = post("/api/v1/tasks/batch", batch)
    load = generate(Plan(server.port, [request], count, min(count, _CONNECTIONS)), wanted=[202])
    wanted = before + count * len(batch["tasks"])
    wait_until(lambda: record.number("succeeded", NOOP) >= wanted, _LONGEST)
    ended = time.monotonic()
    if astray := record.not_succeeded_since(last):
        raise RuntimeError(f"{astray} no-ops are not recorded as succeeded")
    return (wanted - before) / (ended - load.began)
