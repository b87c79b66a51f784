"""Whether a server with a million tasks behind it is as quick, and as small, as a new one."""

import statistics
from pathlib import Path

from bench import batches, seed
from bench.figures import Figure, of_rounds, ratios
from bench.load import Plan, generate, get
from bench.processes import Pooldeck, pooldeck, wait_until
from bench.scale import Scale

_MEBIBYTE = 1024 * 1024
_LONGEST = 60.0  # seconds
_VIEWS = {
    "overview page": "/",
    "page of tasks": "/tasks",
    "page of tasks, failed": "/tasks?state=failed",
    "page of tasks, by end": "/tasks?sort=finished",
    "page of tasks, longest": "/tasks?sort=run",
    "page of tasks, longest with a tag": "/tasks?sort=run&tag=nightly",
    "page of tasks, of a day": "/tasks?since=24h",
    "page of tasks, tag and state": "/tasks?tag=nightly&state=lost",
    "page of tasks, text": "/tasks?q=order+77",
    "page of functions": "/functions",
    "list": "/api/v1/tasks",
    "list, 500": "/api/v1/tasks?limit=500",
    "queued": "/api/v1/tasks?state=queued",
    "failed or lost": "/api/v1/tasks?state=failed&state=lost",
    "one function, failed": "/api/v1/tasks?function=bench.functions.echo&state=failed",
    "one pool": "/api/v1/tasks?pool=held",
    "a tag": "/api/v1/tasks?tag=nightly",
    "a tag, failed": "/api/v1/tasks?tag=nightly&state=failed",
    "a kind of error": "/api/v1/tasks?error=exception",
    "text found": "/api/v1/tasks?q=occupy",
    "text found nowhere": "/api/v1/tasks?q=nowhere",
    "text, frequent": "/api/v1/tasks?q=order",
    "text, rare": "/api/v1/tasks?q=order+123456",
    "text and state": "/api/v1/tasks?q=order&state=failed",
    "a group of errors": "/api/v1/tasks?group=unknown",
    "completion": "/complete.json?q=ni",
    "before a time": "/api/v1/tasks?until=2100-01-01T00:00:00Z",
    "chart of the overview": "/chart",
}


def measure(scale: Scale) -> list[Figure]:
    """Measure a server with many tasks, finished and queued, against one with none."""
    large_folder = scale.folder / "large"
    _make(large_folder, scale)
    with (
        pooldeck(large_folder) as large,
        pooldeck(scale.folder / "small") as small,
    ):
        wait_until(lambda: large.busy("held") == 1, _LONGEST)
        views = _views(large, scale.page_views)
        _views(small, scale.page_views)
        in_large, in_small = [], []
        for _ in range(scale.rounds):
            in_large.append(batches.rate(large, scale.large_batch_tasks))
            in_small.append(batches.rate(small, scale.large_batch_tasks))
        memory = _memory(large), _memory(small)
    return [
        *_memory_figures(*memory),
        of_rounds("no-ops in batches, large store", in_large, "per s"),
        of_rounds("  empty store", in_small, "per s"),
        of_rounds("  ratio", ratios(in_large, in_small), "", at_least=0.8),
        *views,
    ]


def _make(folder: Path, scale: Scale) -> None:
    """Make the large database: the server itself makes it, and SQL fills it."""
    with pooldeck(folder) as server:
        path = server.record.path
    seed.fill(path, scale.finished, scale.queued)


def _views(server: Pooldeck, times: int) -> list[Figure]:
    """Return the median of each view, asked for in turn."""
    requests = [get(path) for path in _VIEWS.values()]
    plan = Plan(server.port, requests, len(requests) * (1 + times))
    latencies = generate(plan, wanted=[200]).latencies[len(requests) :]
    return [
        Figure(
            f"large store: {name}",
            1000 * statistics.median(latencies[place :: len(requests)]),
            "ms",
            at_most=50,
        )
        for place, name in enumerate(_VIEWS)
    ]


def _memory(server: Pooldeck) -> float:
    return server.process.memory_info().rss / _MEBIBYTE


def _memory_figures(large: float, small: float) -> list[Figure]:
    return [
        Figure("memory of the server, large store", large, "MiB"),
        Figure("  empty store", small, "MiB"),
        Figure("  ratio", large / small, "", at_most=1.5),
    ]
