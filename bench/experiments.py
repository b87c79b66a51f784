"""Whether experiments find the size that trying every size in the real pools finds.

What is exhaustive here uses nothing of an experiment: a pool of the server is resized, a batch of
tasks is queued while it is paused, and the time from its resumption to the last committed outcome
is taken. Each size is measured several times, in turn.
"""

import statistics
import time
from collections.abc import Sequence
from typing import Any

import httpx
from msgspec import Struct

from bench.figures import Figure
from bench.processes import Pooldeck, pooldeck, wait_until
from bench.saturating import saturating_site
from bench.scale import Scale
from pooldeck.cpus import usable_cpus

_ENOUGH = 0.95  # of the best throughput: where more slots are not worth having
_LONGEST = 300.0  # seconds
_AT_ONCE = 8
_LATENCY = 0.1  # seconds: long, so that the server that waits needs little CPU
_ROUNDS_OF_A_LOOP = 300_000
_TASKS_PER_SECOND = 40  # of the computing function, in one process, roughly


class Case(Struct, frozen=True):
    """A function, the sizes to try one by one, and how many tasks to time at each."""

    name: str
    function: str
    args: Sequence[Any]
    pool: str
    kind: str
    sizes: Sequence[int]
    tasks: int


def measure(scale: Scale) -> list[Figure]:
    """Compare the knee of an experiment with the best size that there is, for two functions."""
    figures: list[Figure] = []
    with (
        pooldeck(scale.folder / "experiments") as server,
        saturating_site(_LATENCY, _AT_ONCE) as url,
    ):
        address = f"http://127.0.0.1:{server.port}/api/v1"
        with httpx.Client(base_url=address, timeout=60, trust_env=False) as api:
            for case in _cases(url, scale):
                figures += _compare(case, server, api, scale)
    return figures


def _cases(url: str, scale: Scale) -> list[Case]:
    tasks = int(scale.experiment_seconds * _TASKS_PER_SECOND)
    served = int(scale.experiment_seconds * _AT_ONCE / _LATENCY)
    processes = range(1, usable_cpus() + 3)
    threads = (1, 2, 3, 4, 6, 7, 8, 9, 10, 12, 16, 24)
    return [
        Case("computing", "sum_up", [_ROUNDS_OF_A_LOOP], "cpu", "process", processes, tasks),
        Case("waiting for 8 at a time", "ask", [url], "io", "thread", threads, served),
    ]


def _compare(case: Case, server: Pooldeck, api: httpx.Client, scale: Scale) -> list[Figure]:
    experiment = _experiment(case, api, scale.experiment_seconds)
    measured = _exhaustively(case, server, api, scale.size_rounds)
    best = best_size(measured)
    ladder = [step["size"] for step in experiment["steps"] if step["kind"] == case.kind]
    found = next(each for each in experiment["scalings"] if each["kind"] == case.kind)["knee"]
    curve = ", ".join(f"{size}: {rate:.0f}" for size, rate in sorted(measured.items()))
    return [
        Figure(f"{case.name}: knee of the experiment", found, f"{case.kind} slots"),
        Figure("  best size, each tried in the real pool", best, f"({curve} per s)"),
        Figure("  steps between the two", steps_between(found, best, ladder), "", at_most=1),
        Figure("  throughput at the knee over the best", _at(found, measured), ""),
    ]


def best_size(measured: dict[int, float]) -> int:
    """Return the smallest size within 5 % of the best throughput."""
    enough = _ENOUGH * max(measured.values())
    return min(size for size, rate in measured.items() if rate >= enough)


def steps_between(found: int, best: int, ladder: Sequence[int]) -> int:
    """Return how many steps of the sizes that the experiment tried lie between two sizes."""
    rungs = sorted({*ladder, found})
    nearest = min(range(len(rungs)), key=lambda place: abs(rungs[place] - best))
    return abs(rungs.index(found) - nearest)


def _at(size: int, measured: dict[int, float]) -> float:
    """Return the throughput of a size, or the next smaller that was measured, over the best."""
    there = max(each for each in measured if each <= size)
    return measured[there] / max(measured.values())


def _experiment(case: Case, api: httpx.Client, seconds: float) -> dict[str, Any]:
    name = f"bench.functions.{case.function}"
    body = {"function": name, "samples": [{"args": case.args}], "seconds": seconds}
    begun = api.post("/experiments", json=body).raise_for_status().json()
    path = f"/experiments/{begun['id']}"
    wait_until(lambda: api.get(path).json()["state"] != "running", _LONGEST)
    found: dict[str, Any] = api.get(path).json()
    if found["state"] != "finished":
        raise RuntimeError(f"an experiment came to nothing: {found['conclusion']}")
    return found


def _exhaustively(case: Case, server: Pooldeck, api: httpx.Client, rounds: int) -> dict[int, float]:
    """Return the tasks a second at each size: the median of the rounds."""
    looks: dict[int, list[float]] = {size: [] for size in case.sizes}
    for _ in range(rounds):
        for size, rates in looks.items():
            rates.append(_rate(case, server, api, size))
    return {size: statistics.median(rates) for size, rates in looks.items()}


def _rate(case: Case, server: Pooldeck, api: httpx.Client, size: int) -> float:
    """Return the tasks a second of a batch in the real pool of one size."""
    pool, name = f"/pools/{case.pool}", f"bench.functions.{case.function}"
    tasks = min(case.tasks, size * case.tasks // 4 + 1)  # small pools would take long
    api.patch(pool, json={"paused": True, "size": size}).raise_for_status()
    wait_until(lambda: _has_slots(api, pool, size), _LONGEST)
    before = server.record.number("succeeded", name)
    batch = {"tasks": [{"function": name, "args": case.args}] * tasks}
    api.post("/tasks/batch", json=batch).raise_for_status()
    began = time.monotonic()
    api.patch(pool, json={"paused": False}).raise_for_status()
    wanted = before + tasks
    wait_until(lambda: server.record.number("succeeded", name) >= wanted, _LONGEST, pause=0.01)
    return tasks / (time.monotonic() - began)


def _has_slots(api: httpx.Client, pool: str, size: int) -> bool:
    workers = api.get(pool).json()["workers"]
    return sum(len(worker["slots"]) for worker in workers if worker["state"] == "idle") == size
