"""Functions that the tests of the runtime submit; their workers import this module."""

import os
import time
from pathlib import Path

from pooldeck import task


@task
def add(a: int, b: int) -> int:
    """Add two integers."""
    return a + b


@task
def note(path: str, word: str) -> None:
    """Append a word to a file."""
    with Path(path).open("a") as file:
        file.write(f"{word}\n")


@task
def wait_for(path: str) -> str:
    """Wait until a file is there, and return what it says."""
    file = Path(path)
    while not file.exists():
        time.sleep(0.005)
    return file.read_text()


@task
def leave(code: int) -> None:
    """End the worker."""
    os._exit(code)


@task(sensitive=("password",))
def log_in(user: str, password: str) -> str:
    """Take something that nobody may see."""
    return f"{user} {len(password)}"


def need_flag() -> None:
    """Refuse to start a worker, as an initializer, unless a file is there."""
    flag = Path(os.environ["POOLDECK_TESTS_FLAG"])
    if not flag.exists():
        raise RuntimeError(f"{flag.name} is missing")
