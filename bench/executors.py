"""The other side of the figure for crashes: executors of one worker whose worker is killed.

`after_kills` measures one in a process of its own (`python -m bench.executors NAME NUMBER`). In
each round a call holds the worker, another one waits, and the worker is killed; where the death
breaks the executor it is made anew, and the other call is submitted again.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Final

import loky  # type: ignore[import-untyped]  # it has no types
import msgspec
import pebble

from bench.functions import hold, now
from pooldeck.executor import ProcessPool

KINDS: Final = {
    "own": "pooldeck.ProcessPool",
    "fork": "ProcessPoolExecutor by fork, made anew",
    "spawn": "ProcessPoolExecutor by spawn, made anew",
    "loky": "loky, made anew",
    "pebble": "pebble",
}
_LONGEST_RUN: Final = 300  # seconds
_SETTLE: Final = 0.3  # seconds for a call to reach the worker, and for a spare one to get ready


def after_kills(name: str, rounds: int) -> list[float]:
    """Return the milliseconds from each kill to the start of the next call."""
    completed = subprocess.run(
        [sys.executable, "-m", "bench.executors", name, str(rounds)],
        stdout=subprocess.PIPE,
        timeout=_LONGEST_RUN,
        check=True,
    )
    return msgspec.json.decode(completed.stdout, type=list[float])


def _mended(make: Callable[[], Executor], rounds: int) -> list[float]:
    """Measure an executor that breaks when its worker dies, and is made anew then."""
    found = []
    executor = make()
    for _ in range(rounds):
        pid = executor.submit(os.getpid).result()
        held, waiting = executor.submit(hold), executor.submit(now)
        time.sleep(_SETTLE)
        killed = _kill(pid)
        try:
            started = waiting.result()
        except BrokenProcessPool:
            executor.shutdown(wait=False)
            executor = make()
            started = executor.submit(now).result()
        found.append(1000 * (started - killed))
        held.exception()
    executor.shutdown()
    return found


def _pebble(rounds: int) -> list[float]:
    found = []
    with pebble.ProcessPool(max_workers=1) as pool:
        for _ in range(rounds):
            pid = pool.schedule(os.getpid).result()
            held: Future[None] = pool.schedule(hold)
            waiting: Future[float] = pool.schedule(now)
            time.sleep(_SETTLE)
            killed = _kill(pid)
            found.append(1000 * (waiting.result() - killed))
            held.exception()
    return found


def _kill(pid: int) -> float:
    killed = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    return killed


def _measure(name: str, rounds: int) -> list[float]:
    match name:
        case "own":
            return _mended(lambda: ProcessPool(1), rounds)
        case "fork" | "spawn":
            context = multiprocessing.get_context(name)
            return _mended(lambda: ProcessPoolExecutor(1, context), rounds)
        case "loky":
            return _mended(lambda: loky.get_reusable_executor(1, timeout=None), rounds)
        case _:
            return _pebble(rounds)


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(_measure(sys.argv[1], int(sys.argv[2]))))
