"""Functions that the tests of pipelines submit; their workers import this module."""

import time
from pathlib import Path
from typing import Any

from pooldeck import task


@task
def count_to(number: int) -> list[int]:
    """Return the numbers from 1 on."""
    return list(range(1, number + 1))


@task
def double(number: int) -> int:
    """Return twice a number."""
    return 2 * number


@task
def fail_on(number: int, bad: int) -> int:
    """Return a number, unless it is the bad one."""
    if number == bad:
        raise ValueError(f"{number} is bad")
    return number


@task
def fail_while(path: str) -> str:
    """Fail for as long as a file is there."""
    if Path(path).exists():
        raise ValueError("not yet")
    return "fine"


@task
def show(*values: Any, **named: Any) -> list[Any]:
    """Return what it was given."""
    return [*values, named] if named else list(values)


@task
def text_of(length: int) -> str:
    """Return a text of this length."""
    return "x" * length


@task(sensitive=("secret",))
def keep(secret: str, public: Any) -> int:
    """Take something that nobody may see, and something that all may."""
    return len(secret) + len(public)


@task
def effect(path: str, word: Any, seconds: float = 0.0) -> Any:
    """Append a line to a file, after a while."""
    time.sleep(seconds)
    with Path(path).open("a") as file:
        file.write(f"{word}\n")
    return word
