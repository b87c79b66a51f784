"""How long an executor takes for a number of calls, its workers ready before the clock begins.

As `timeit` does, the best of a few rounds is taken: what else the machine does only adds to it.
"""

import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

_ROUNDS = 3
_START = 0.02  # seconds that a first call holds each worker, so that all are started


def in_threads(threads: int, function: Callable[..., Any], *arguments: Any, calls: int) -> float:
    """Return the seconds that so many threads take for `calls` calls."""
    with ThreadPoolExecutor(threads) as executor:
        _start(executor, threads)
        return _best(lambda: _run(executor, function, arguments, calls))


def in_processes(
    processes: int, function: Callable[..., Any], *arguments: Any, calls: int
) -> float:
    """Return the seconds that so many processes take for `calls` calls."""
    with ProcessPoolExecutor(processes) as executor:
        _start(executor, processes)
        return _best(lambda: _run(executor, function, arguments, calls))


def one_by_one(function: Callable[..., Any], *arguments: Any, calls: int) -> float:
    """Return the seconds that `calls` calls take one after the other."""

    def run() -> None:
        for _ in range(calls):
            function(*arguments)

    return _best(run)


def _start(executor: Executor, workers: int) -> None:
    for started in [executor.submit(time.sleep, _START) for _ in range(workers)]:
        started.result()


def _run(
    executor: Executor, function: Callable[..., Any], arguments: tuple[Any, ...], calls: int
) -> None:
    for future in [executor.submit(function, *arguments) for _ in range(calls)]:
        future.result()


def _best(run: Callable[[], None]) -> float:
    taken = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        run()
        taken.append(time.perf_counter() - began)
    return min(taken)
