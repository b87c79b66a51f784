"""Functions that the tests of the web submit; their workers import this module."""

import os
import threading
from concurrent.futures import CancelledError
from typing import Any

from pooldeck import current_task, task

_never = threading.Event()


@task(pool="cpu")
def echo(value: Any) -> Any:
    """Give back what was given."""
    return value


@task(pool="cpu")
def add(a: int, b: int = 2) -> int:
    """Add two integers."""
    return a + b


@task(pool="io")
def fail(message: str) -> None:
    """Raise an error."""
    raise ValueError(message)


@task(pool="io")
def chatter(lines: int) -> None:
    """Print some lines."""
    for number in range(lines):
        print(f"line {number}")  # noqa: T201
    current_task().progress(0.5, "half")


@task(pool="solo")
def block() -> None:
    """Never end."""
    _never.wait()


@task(pool="cpu", sensitive=("password",))
def log_in(user: str, password: str) -> str:
    """Take something that nobody may see."""
    return user + str(len(password))


@task(pool="nowhere")
def stray() -> None:
    """Name a pool that does not exist."""


@task(pool="cpu", retries=1, backoff=0.01)
def flaky(value: int) -> int:
    """Fail at the first attempt, and say so in its log."""
    print(f"attempt {current_task().attempt}")  # noqa: T201
    if current_task().attempt == 1:
        raise OSError("not yet")
    return value


@task(pool="solo")
def patient() -> None:
    """End when asked to."""
    while not current_task().cancelled:
        _never.wait(0.01)
    raise CancelledError


@task(pool="io")
def wait_in_a_thread() -> None:
    """Never end, in a thread."""
    _never.wait()


@task(pool="solo")
def die(signal_number: int) -> None:
    """Take the worker along."""
    os.kill(os.getpid(), signal_number)
    _never.wait()


@task
def roam(value: int) -> int:
    """Leave the pool to the server."""
    return value


@task
def doze(seconds: float) -> None:
    """Leave the pool to the server, and wait."""
    _never.wait(seconds)


@task
def ask(url: str) -> str:
    """Look as if it waited for another machine."""
    return url
