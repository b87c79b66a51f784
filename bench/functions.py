"""The functions that are run to measure what it costs to run one."""

import ctypes
import time
from urllib.request import urlopen

from pooldeck import shared, task


@task(pool="cpu")
def noop() -> None:
    """Do nothing."""


@task(pool="cpu")
def skip(number: int) -> None:
    """Do nothing, with a number."""
    del number


@task(pool="cpu")
def echo(text: str) -> str:
    """Return `text`."""
    return text


@task(pool="cpu")
def now() -> float:
    """Return the moment of the monotonic clock, which all processes of a machine share."""
    return time.monotonic()


@task(pool="cpu")
def hold(seconds: float = 3600) -> None:
    """Keep a worker process for `seconds`."""
    time.sleep(seconds)


@task(pool="io")
def burn(seconds: float) -> None:
    """Keep a CPU busy for `seconds`, with the GIL as often as it can be had."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


@task(pool="io")
def hold_gil(seconds: int) -> None:
    """Hold the GIL in a C call for `seconds`: nothing else in this process runs meanwhile."""
    ctypes.PyDLL(None).sleep(seconds)


@task(pool="held")
def occupy(seconds: float = 3600) -> None:
    """Occupy a slot for `seconds`, so that what is queued behind it stays queued."""
    time.sleep(seconds)


@task(pool="cpu")
def count(steps: int) -> None:
    """Add to a counter that all workers share, one at a time."""
    counter = shared.counter("steps")
    for _ in range(steps):
        counter.add()


@task(pool="cpu")
def sum_up(rounds: int) -> int:
    """Compute in Python code, with the GIL."""
    return sum(number * number % 7 for number in range(rounds))


@task(pool="io")
def ask(url: str) -> int:
    """Wait for a server; return how much it sent."""
    with urlopen(url, timeout=60) as answer:
        return len(answer.read())
