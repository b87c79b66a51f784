"""Functions that the tests of the web submit; their workers import this module."""

import threading
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


@task(pool="cpu", timeout=5)
def hurry() -> None:
    """Ask for what is not available yet."""
