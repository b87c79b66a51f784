"""How many threads or processes are enough, and when more do harm."""

import os
import statistics
import time
from collections import Counter
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor

from bench.choosing.claims.timing import in_processes, in_threads
from bench.choosing.functions import ask, count_primes, derive_key, sleep
from bench.choosing.site import PACE, site
from pooldeck.cpus import usable_cpus

_WAIT = 0.03  # seconds
_KEY_ROUNDS = 8_000


def cpus() -> list[str]:
    """`os.cpu_count()` is what the machine has, not what this process may use."""
    with ProcessPoolExecutor(1) as executor:
        count, usable = executor.submit(_on_one_cpu).result()
    return [f"bound to one CPU: os.cpu_count() says {count}, usable {usable}"]


def too_many_processes() -> list[str]:
    """More processes than CPUs compute no faster."""
    lines, calls = ["48 times a loop of plain Python:"], 48
    for processes in (1, usable_cpus(), 4 * usable_cpus()):
        seconds = in_processes(processes, count_primes, 20_000, calls=calls)
        lines.append(f"  {processes} processes: {calls / seconds:.0f} a second")
    return lines


def enough_threads() -> list[str]:
    """Threads pay up to CPUs x (1 + waiting / computing), and hardly beyond."""
    computing = in_threads(1, derive_key, _KEY_ROUNDS, calls=20) / 20
    wanted = usable_cpus() * (1 + _WAIT / computing)
    lines = [f"30 ms of waiting and {1000 * computing:.1f} ms of computing: {wanted:.0f} threads"]
    for threads in (1, 4, 8, 16, 32, 64, 128):
        calls = max(32, 8 * threads)
        seconds = in_threads(threads, _wait_and_derive, calls=calls)
        lines.append(f"  {threads:3} threads: {calls / seconds:4.0f} a second")
    return lines


def littles_law() -> list[str]:
    """As many calls run at a time as arrive per second, times the seconds that each takes."""
    rate, takes, calls = 200, 0.05, 300
    with ThreadPoolExecutor(64) as executor:
        began = time.perf_counter()
        futures: list[Future[float]] = []
        at_a_time = []
        for number in range(calls):
            time.sleep(max(0.0, began + number / rate - time.perf_counter()))
            futures.append(executor.submit(sleep, takes))
            at_a_time.append(sum(not future.done() for future in futures))
    found = statistics.mean(at_a_time[calls // 4 :])
    return [
        f"{rate} calls a second, {1000 * takes:.0f} ms each",
        f"  expected {rate * takes:.0f} at a time, found {found:.1f}",
    ]


def throttling() -> list[str]:
    """Against a target that throttles, more threads get more refusals and no more answers."""
    lines = [f"against a server that takes {1 / PACE:.0f} requests a second:"]
    with site() as address:
        for threads in (1, 4, 16, 64):
            answers, refusals, seconds = _ask_for_a_second(address, threads)
            lines.append(
                f"  {threads:2} threads: {answers / seconds:4.0f} answers"
                f" and {refusals / seconds:5.0f} refusals a second"
            )
    return lines


def _on_one_cpu() -> tuple[int | None, int]:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return os.cpu_count(), usable_cpus()


def _wait_and_derive() -> None:
    sleep(_WAIT)
    derive_key(_KEY_ROUNDS)


def _ask_for_a_second(address: str, threads: int) -> tuple[int, int, float]:
    """Return how many answers and refusals there were, and in how many seconds."""
    end = time.perf_counter() + 1

    def ask_on(_: int) -> Counter[bool]:
        refused: Counter[bool] = Counter()
        while time.perf_counter() < end:
            pause, _page = ask(address, "/throttled")
            refused[pause > 0] += 1
            time.sleep(pause)
        return refused

    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as executor:
        found = sum(executor.map(ask_on, range(threads)), Counter[bool]())
    return found[False], found[True], time.perf_counter() - began
