"""What a backup costs: submissions while the database is copied, and while it is not.

The copies are made one after the other by `pooldeck backup`, as long as the submissions last.
"""

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

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
_LONGEST = 300.0  # seconds
_MB = 1_000_000


def measure(scale: Scale) -> list[Figure]:
    """Measure submissions without and with copies being made, in turn, on a large database."""
    folder = scale.folder / "backup"
    with pooldeck(folder) as server:
        path = server.record.path
    seed.fill(path, scale.backup_tasks, 0)
    waits: dict[bool, list[float]] = {False: [], True: []}
    rates: dict[bool, list[float]] = {False: [], True: []}
    seconds: list[float] = []
    with pooldeck(folder) as server:
        for _ in range(scale.size_rounds):
            for copies in (False, True):
                with _copied(folder, seconds) if copies else contextlib.nullcontext():
                    paced = _load(server, scale.requests, _PACED, _PAUSE)
                    waits[copies].append(1000 * percentile(paced.latencies, 99))
                    rates[copies].append(_load(server, 2 * scale.requests, _CONNECTIONS).rate)
    return [
        Figure("size of the database", path.stat().st_size / _MB, "MB"),
        of_rounds("a copy, checked", seconds, "s"),
        of_rounds("submissions, 1,000 a second, p99", waits[False], "ms"),
        of_rounds("  while copies are made", waits[True], "ms", at_most=100),
        of_rounds("submissions, 16 connections", rates[False], "per s"),
        of_rounds("  while copies are made", rates[True], "per s"),
        of_rounds("  ratio", ratios(rates[True], rates[False]), "", at_least=0.8),
    ]


@contextlib.contextmanager
def _copied(folder: Path, seconds: list[float]) -> Iterator[None]:
    """Make copies, one after the other; note how long those took that were whole."""
    over = threading.Event()

    def copy() -> None:
        while not over.is_set():
            began = time.monotonic()
            file = folder / "copy.sqlite3"
            file.unlink(missing_ok=True)
            command = ["-m", "pooldeck", "backup", file.name, "--config", "pooldeck.toml"]
            subprocess.run(
                [sys.executable, *command, "--data", "."],
                cwd=folder,
                stdout=subprocess.DEVNULL,
                timeout=_LONGEST,
                check=True,
            )
            seconds.append(time.monotonic() - began)

    copying = threading.Thread(target=copy)
    copying.start()
    try:
        yield
    finally:
        over.set()
        copying.join()


def _load(server: Pooldeck, count: int, connections: int, pause: float = 0.0) -> Load:
    return generate(Plan(server.port, [_RUNS], count, connections, pause), wanted=[202])
