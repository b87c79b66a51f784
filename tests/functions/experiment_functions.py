"""Functions of known nature that experiments are made with; workers import this module."""

import ctypes
import os
import time
from pathlib import Path
from urllib.request import urlopen

from pooldeck import task


@task(pool="cpu", idempotent=True)
def compute(rounds: int) -> int:
    """Keep the GIL busy."""
    total = 0
    for number in range(rounds):
        total += number * number % 7
    return total


@task(pool="cpu")
def hold_gil(seconds: float) -> None:
    """Hold the GIL without a need for a CPU, so that a busy machine changes little."""
    ctypes.PyDLL(None).usleep(int(seconds * 1_000_000))


@task(pool="io")
def nap(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)


@task(pool="io")
def linger(gate: str) -> None:
    """Wait for a file."""
    while not Path(gate).exists():
        time.sleep(0.01)


@task(pool="io", idempotent=True)
def ask(url: str) -> int:
    """Wait for a server."""
    with urlopen(url, timeout=30) as answer:
        return len(answer.read())


@task(pool="io")
def fail(word: str) -> None:
    """Raise an error."""
    raise ValueError(word)


@task(pool="cpu")
def die() -> None:
    """Take the worker along."""
    os._exit(7)


@task(pool="io", idempotent=True, sensitive=("secret",))
def tell(secret: str) -> int:
    """Take something that nobody may see."""
    return len(secret)
