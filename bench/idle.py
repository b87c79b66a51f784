"""What a server takes while nothing happens and nobody looks, with the pools of its own choice."""

import time

from bench.figures import Figure
from bench.processes import Pooldeck, Server, pooldeck
from bench.scale import Scale

_MEBIBYTE = 1024 * 1024
_NO_POOLS = 'functions = ["bench.functions"]\n'


def measure(scale: Scale) -> list[Figure]:
    """Measure the server's own process, and all its processes with what they share counted once."""
    with pooldeck(scale.folder / "idle", _NO_POOLS, is_looked_at=False) as server:
        time.sleep(scale.idle_seconds / 4)  # until what its start left to do is done
        cpu = _cpu_percent(server, scale.idle_seconds)
        memory = _resident(server)
        processes = [server.process, *server.process.children(recursive=True)]
        shares = [each.memory_full_info().pss / _MEBIBYTE for each in processes]
        server.get("/api/v1/pools")
        looked_at = _resident(server)
    return [
        Figure("idle: memory of the server (RSS)", memory, "MiB", at_most=80),
        Figure("  once something was looked at", looked_at, "MiB"),
        Figure("idle: memory of all processes (PSS)", sum(shares), "MiB", at_most=120),
        Figure("idle: processes", len(processes), ""),
        Figure("idle: CPU of the server", cpu, "% a core", at_most=0.5),
    ]


def _resident(server: Pooldeck) -> float:
    return float(server.process.memory_info().rss) / _MEBIBYTE


def _cpu_percent(server: Server, seconds: float) -> float:
    """Return how much of one core `server` takes over the next `seconds`, in percent."""
    before, began = server.cpu_seconds(), time.monotonic()
    time.sleep(seconds)
    return 100 * (server.cpu_seconds() - before) / (time.monotonic() - began)
