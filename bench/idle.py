"""What a server takes while nothing happens and nobody looks."""

import time

from bench.figures import Figure
from bench.processes import Server, pooldeck
from bench.scale import Scale

_MEBIBYTE = 1024 * 1024


def measure(scale: Scale) -> list[Figure]:
    """Measure memory and CPU of the server's own process; its workers are the pools' cost."""
    with pooldeck(scale.folder / "idle") as server:
        time.sleep(scale.idle_seconds / 4)  # until what its start left to do is done
        cpu = _cpu_percent(server, scale.idle_seconds)
        memory = server.process.memory_info().rss / _MEBIBYTE
    return [
        Figure("idle: memory of the server (RSS)", memory, "MiB", at_most=150),
        Figure("idle: CPU of the server", cpu, "% a core", at_most=1),
    ]


def _cpu_percent(server: Server, seconds: float) -> float:
    """Return how much of one core `server` takes over the next `seconds`, in percent."""
    before, began = server.cpu_seconds(), time.monotonic()
    time.sleep(seconds)
    return 100 * (server.cpu_seconds() - before) / (time.monotonic() - began)
