"""Whether a server with millions of tasks behind it is as quick, and as small, as a new one."""

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path

from bench import batches, seed, views
from bench.figures import Figure, of_rounds, ratios
from bench.processes import KEEPS_ALL, Pooldeck, launch, pooldeck, wait_until
from bench.scale import Scale

_MEBIBYTE = 1024 * 1024
_MEGABYTE = 1_000_000
_LONGEST = 60.0  # seconds
_PAUSE = 0.01


def measure(scale: Scale) -> list[Figure]:
    """Measure a server with many tasks, finished and queued, against one with none."""
    large_folder, small_folder = scale.folder / "large", scale.folder / "small"
    began = time.monotonic()
    path = _make(large_folder, scale)
    made = time.monotonic() - began
    with pooldeck(small_folder, KEEPS_ALL):
        pass
    starts = [
        (_seconds_until_ready(large_folder), _seconds_until_ready(small_folder))
        for _ in range(scale.size_rounds)
    ]
    size = path.stat().st_size
    return [
        Figure("large store: seconds to make it", made, "s"),
        Figure("  its size", size / _MEGABYTE, "MB"),
        of_rounds("large store: until ready", [large for large, _ in starts], "s", at_most=5),
        of_rounds("  empty store", [small for _, small in starts], "s"),
        *_side_by_side(large_folder, small_folder, scale),
    ]


def _make(folder: Path, scale: Scale) -> Path:
    """Make the large database: the server itself makes it, and SQL fills it."""
    with pooldeck(folder, KEEPS_ALL) as server:
        path = server.record.path
    seed.fill(path, scale.finished, scale.queued)
    return path


def _seconds_until_ready(folder: Path) -> float:
    """Return how long a server takes from its start to the first 200 of `/readyz`."""
    began = time.monotonic()
    server = launch(folder, KEEPS_ALL)
    try:
        wait_until(server.answers_ready, _LONGEST, _PAUSE)
        return time.monotonic() - began
    finally:
        server.stop()


def _side_by_side(large_folder: Path, small_folder: Path, scale: Scale) -> list[Figure]:
    """Measure both servers in turn, as both run."""
    with contextlib.ExitStack() as stack:
        large, small = (
            stack.enter_context(pooldeck(folder, KEEPS_ALL))
            for folder in (large_folder, small_folder)
        )
        wait_until(lambda: large.busy("held") == 1, _LONGEST)
        rates, cpu = _rates({"large": large, "small": small}, scale)
        looks = views.look(large, views.views(large), scale.page_views)
        looks_at_small = views.look(small, views.views(small), scale.page_views)
        memory = _memory(large), _memory(small)
    return [
        Figure("memory of the server, large store", memory[0], "MiB"),
        Figure("  empty store", memory[1], "MiB"),
        Figure("  ratio", memory[0] / memory[1], "", at_most=1.2),
        of_rounds("no-ops in batches, large store", rates["large"], "per s"),
        of_rounds("  empty store", rates["small"], "per s"),
        of_rounds("  ratio", ratios(rates["large"], rates["small"]), "", at_least=0.9),
        Figure("  server's CPU per task, large store", cpu["large"], "µs"),
        Figure("  server's CPU per task, empty store", cpu["small"], "µs"),
        *(Figure(f"large store: {name}", ms, "ms", at_most=50) for name, ms in looks.items()),
        Figure("  the slowest, empty store", max(looks_at_small.values()), "ms"),
    ]


def _rates(
    servers: Mapping[str, Pooldeck], scale: Scale
) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Return the no-ops a second of each round, and the µs of CPU that a task took, in turn."""
    for server in servers.values():
        batches.rate(server, scale.large_batch_tasks)  # the first tasks find cold caches
    rates: dict[str, list[float]] = {name: [] for name in servers}
    cpu = {name: -server.cpu_seconds() for name, server in servers.items()}
    for number in range(scale.rounds):
        # Whoever comes second finds a warmer machine, or one that a neighbour slows down.
        for name in list(servers)[:: -1 if number % 2 else 1]:
            rates[name].append(batches.rate(servers[name], scale.large_batch_tasks))
    tasks = scale.rounds * scale.large_batch_tasks
    for name, server in servers.items():
        cpu[name] = 1e6 * (cpu[name] + server.cpu_seconds()) / tasks
    return rates, cpu


def _memory(server: Pooldeck) -> float:
    return server.process.memory_info().rss / _MEBIBYTE
