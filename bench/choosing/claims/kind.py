"""What speaks for threads, and what for processes."""

import hashlib
import resource
import statistics
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

from bench.choosing.claims.timing import in_processes, in_threads, one_by_one
from bench.choosing.functions import add, compute_four_fifths, count_primes, hash_small, sleep
from pooldeck.cpus import usable_cpus

_LIMIT = 20_000  # of `count_primes`
_MEBIBYTE = 1024 * 1024


def loop() -> list[str]:
    """Threads do not speed up plain Python, processes do."""
    return _three_ways("a loop of plain Python", count_primes, _LIMIT)


def released() -> list[str]:
    """Threads speed up C code that gives the GIL back, as well as processes do."""
    return _three_ways("SHA-256 of 32 MB", _hash_32_mb)


def small_pieces() -> list[str]:
    """C code that works on small pieces is no better than a loop: threads slow it down."""
    return [
        *_three_ways("SHA-256 of 960 bytes, 25,000 times (keeps the GIL)", hash_small, 25_000),
        *_three_ways("zlib, 75 bytes, 8,000 times (gives it back each time)", _compress_lines),
    ]


def waiting() -> list[str]:
    """Waiting needs no CPU: threads are many and cheap, processes are as few as the CPUs."""
    cpus, calls = usable_cpus(), 64
    few = in_processes(cpus, sleep, 0.05, calls=calls)
    default = min(32, cpus + 4)
    return [
        f"{calls} waits of 50 ms:",
        f"  {cpus} processes   {few:.2f} s",
        *(
            f"  {threads} threads     {in_threads(threads, sleep, 0.05, calls=calls):.2f} s"
            for threads in (default, calls)
        ),
    ]


def contention() -> list[str]:
    """CPU time over wall time says how crowded it was, not what the function is."""
    lines = ["CPU time over wall time of one call:"]
    functions: dict[str, Callable[[], Any]] = {"loop": _count, "SHA-256 of 32 MB": _hash_32_mb}
    for name, function in functions.items():
        alone, crowded = (
            max(_cpu_share(function, threads) for _ in range(3)) for threads in (1, 8)
        )
        lines.append(f"  {name:18} alone {alone:.2f}, beside seven others in threads {crowded:.2f}")
    return lines


def neighbours() -> list[str]:
    """One loop in a thread pool makes everything else in that process late."""
    lines = ["a wait of 1 ms, 100 times, in a thread:"]
    for loops in (0, 1, 4):
        median, worst = _waits_beside(loops)
        lines.append(
            f"  beside {loops} loops: median {1000 * median:.1f} ms, worst {1000 * worst:.0f} ms"
        )
    return lines


def overhead() -> list[str]:
    """A call that takes microseconds is not worth handing over; megabytes are not either."""
    calls = 2_000
    alone = one_by_one(add, 1, 2, calls=calls) / calls
    threads = in_threads(1, add, 1, 2, calls=calls) / calls
    processes = in_processes(1, add, 1, 2, calls=calls) / calls
    with_data = in_processes(1, len, bytes(_MEBIBYTE), calls=100) / 100
    return [
        "adding two numbers:",
        f"  called here           {1e6 * alone:8.2f} µs",
        f"  through a thread      {1e6 * threads:8.0f} µs",
        f"  through a process     {1e6 * processes:8.0f} µs",
        f"  and with 1 MiB to it  {1e6 * with_data:8.0f} µs",
    ]


def children() -> list[str]:
    """A function whose child computes looks as if it waited, unless children are counted."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began, cpu = time.perf_counter(), time.thread_time()
    subprocess.run([sys.executable, "-c", "sum(n * n for n in range(3_000_000))"], check=True)
    wall, own = time.perf_counter() - began, time.thread_time() - cpu
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    child = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return [f"wall {wall:.2f} s, CPU of the thread {own:.2f} s, CPU of its child {child:.2f} s"]


def splitting() -> list[str]:
    """Work that waits and computes goes fastest in two parts, each where it belongs."""
    calls, cpus = 16, usable_cpus()
    threads = in_threads(min(32, cpus + 4), compute_four_fifths, calls=calls)
    processes = in_processes(cpus, compute_four_fifths, calls=calls)
    return [
        f"{calls} calls, each 10 ms of waiting and 40 ms of computing:",
        f"  in threads                           {threads:.2f} s",
        f"  in {cpus} processes                       {processes:.2f} s",
        f"  waiting in threads, then in processes {_split(calls, cpus):.2f} s",
    ]


def _three_ways(what: str, function: Callable[..., Any], *arguments: Any) -> list[str]:
    calls, cpus = 8, usable_cpus()
    serial = one_by_one(function, *arguments, calls=calls)
    threads = in_threads(calls, function, *arguments, calls=calls)
    processes = in_processes(cpus, function, *arguments, calls=calls)
    return [
        f"{calls} times {what}:",
        f"  one after the other  {serial:.2f} s",
        f"  {calls} threads            {threads:.2f} s, {serial / threads:.1f} times as fast",
        f"  {cpus} processes          {processes:.2f} s, {serial / processes:.1f} times as fast",
    ]


def _count() -> int:
    return count_primes(_LIMIT)


def _hash_32_mb() -> str:
    return hashlib.sha256(bytes(32 * _MEBIBYTE)).hexdigest()


def _compress_lines() -> int:
    line = bytes(range(75))
    return sum(len(zlib.compress(line)) for _ in range(8_000))


def _cpu_share(function: Callable[[], Any], threads: int) -> float:
    """Return CPU over wall time of calls that run in so many threads at once."""

    def share(_: int) -> float:
        began, cpu = time.perf_counter(), time.thread_time()
        function()
        return (time.thread_time() - cpu) / (time.perf_counter() - began)

    with ThreadPoolExecutor(threads) as executor:
        return statistics.median(executor.map(share, range(threads)))


def _waits_beside(loops: int) -> tuple[float, float]:
    """Return the median and the longest of short waits while so many threads compute."""
    over = threading.Event()

    def compute() -> None:
        while not over.is_set():
            count_primes(500)

    threads = [threading.Thread(target=compute) for _ in range(loops)]
    for thread in threads:
        thread.start()
    taken = [_seconds_of_a_wait() for _ in range(100)]
    over.set()
    for thread in threads:
        thread.join()
    return statistics.median(taken), max(taken)


def _seconds_of_a_wait() -> float:
    began = time.perf_counter()
    sleep(0.001)
    return time.perf_counter() - began


def _split(calls: int, cpus: int) -> float:
    with ProcessPoolExecutor(cpus) as computing:

        def wait_then_compute() -> int:
            sleep(0.01)
            return computing.submit(_compute_40_ms).result()

        return in_threads(calls, wait_then_compute, calls=calls)


def _compute_40_ms() -> int:
    return sum(number * number % 7 for number in range(560_000))
