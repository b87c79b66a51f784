"""What a server takes while nothing happens and nobody looks."""

import time

import psutil

from bench.figures import Figure
from bench.processes import pooldeck
from bench.scale import Scale

_SETTLE_SECONDS = 3.0
_MEBIBYTE = 1024 * 1024


def measure(scale: Scale) -> list[Figure]:
    """Measure memory and CPU of the server's own process; its workers are the pools' cost."""
    with pooldeck(scale.folder / "idle") as server:
        time.sleep(_SETTLE_SECONDS)
        cpu = cpu_percent(server.process, scale.idle_seconds)
        memory = server.process.memory_info().rss / _MEBIBYTE
    return [
        Figure("idle: memory of the server (RSS)", memory, "MiB", at_most=150),
        Figure("idle: CPU of the server", cpu, "% a core", at_most=1),
    ]


def cpu_percent(process: psutil.Process, seconds: float) -> float:
    """Return how much of one core `process` takes over the next `seconds`, in percent."""
    before, began = process.cpu_times(), time.monotonic()
    time.sleep(seconds)
    after, ended = process.cpu_times(), time.monotonic()
    used = after.user + after.system - before.user - before.system
    return 100 * used / (ended - began)
