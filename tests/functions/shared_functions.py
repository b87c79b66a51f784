"""Functions that share state over both kinds of pool; workers import this module."""

import os
import sqlite3
import time
from pathlib import Path

from pooldeck import current_task, shared, task


@task
def count(name: str, n: int) -> None:
    """Add to a counter, to a dict and to a list of that name, one at a time."""
    hits, by_worker, last = shared.counter(name), shared.dict(name), 0
    for _ in range(n):
        last = hits.add()
    by_worker.increment(current_task().pool, n)
    shared.list(name).append(last)


@task
def meet(path: str, rounds: int) -> int:
    """Read a number from a file and write the next, under a lock; return how often that was."""
    file = Path(path)
    for _ in range(rounds):
        with shared.lock("file", timeout=60):
            number = int(file.read_text())
            time.sleep(0.0005)
            file.write_text(str(number + 1))
    return rounds


@task
def hold(name: str) -> None:
    """Take a lock and never give it back."""
    shared.lock(name).acquire()
    current_task().progress(None, "holds it")
    while True:
        time.sleep(0.1)


@task
def take(name: str, timeout: float) -> bool:
    """Take a lock for a moment."""
    got = shared.lock(name).acquire(timeout)
    if got:
        shared.lock(name).release()
    return got


@task
def leave_locked(name: str) -> None:
    """Forget to give a lock back."""
    shared.lock(name).acquire()


@task
def ask(n: int) -> list[float]:
    """Take turns at a rate that all workers share; return when they came."""
    limiter = shared.rate_limiter("target", per_second=40, burst=1)
    return [_moment() for _ in range(n) if limiter.acquire()]


def _moment() -> float:
    return time.monotonic()


@task
def use_around(path: str) -> int:
    """Use the state before and after a file is there."""
    shared.counter("around").add()
    current_task().progress(None, "used it")
    while not Path(path).exists():
        time.sleep(0.01)
    return shared.counter("around").add()


_opened_at_import = sqlite3.connect(":memory:")


@task
def use_what_was_opened_at_import() -> int:
    """Do it the wrong way."""
    found: int = _opened_at_import.execute("SELECT 1").fetchone()[0]
    return found


@task
def where() -> int:
    """Return the process that keeps the state, as a worker sees it."""
    from pooldeck.shared.backend import backend  # noqa: PLC0415 - looked at from inside

    return int(backend().call("identify").partition("-")[0])


@task
def spy() -> list[str]:
    """Return where the key could be seen: environment and command line."""
    return [*os.environ.values(), *Path("/proc/self/cmdline").read_text().split("\0")]
