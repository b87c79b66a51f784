"""Functions that clients submit; both the workers and the tests import this module."""

import os
import signal
import time
from datetime import date
from pathlib import Path
from typing import Any, Self

from pooldeck import current_task, task
from pooldeck.client import default_client

MODULE = __name__


class Refusal(Exception):  # noqa: N818 - a name as users give them
    """An exception that is not made of one text."""

    def __init__(self, code: int, *, why: str) -> None:
        super().__init__(code, why)
        made.append((code, why))


class Loud(Exception):  # noqa: N818 - as above
    """An exception whose class has code of its own to make it."""

    def __new__(cls, *args: object) -> Self:
        """Leave a trace."""
        made.append(args)
        return super().__new__(cls, *args)


made: list[tuple[object, ...]] = []  # what code of these classes was run with, in this process


@task(pool="cpu")
def add(a: int, b: int = 2) -> int:
    """Add two integers."""
    return a + b


@task(pool="cpu")
def echo(value: Any) -> Any:
    """Give back what was given."""
    return value


@task(pool="cpu")
def total(numbers: list[int]) -> int:
    """Add up."""
    return sum(numbers)


@task(pool="cpu")
def count_to(number: int) -> list[int]:
    """Count."""
    return list(range(number))


@task(pool="io")
async def shout(text: str) -> str:
    """Say it loudly."""
    return text.upper()


@task(pool="cpu")
def day_after(day: date) -> date:
    """Return the next day."""
    return date.fromordinal(day.toordinal() + 1)


@task(pool="io")
def refuse() -> None:
    """Raise what has a constructor of its own."""
    raise Refusal(7, why="no")


@task(pool="io")
def be_loud() -> None:
    """Raise what has a `__new__` of its own."""
    raise Loud("hear")


@task(pool="io")
def fail(kind: str, message: str) -> None:
    """Raise an exception of the standard library."""
    kinds = {each.__name__: each for each in (ValueError, KeyError, OSError, SyntaxError)}
    raise kinds[kind](message)


@task(pool="io")
def exit_at_once() -> None:
    """Raise what is no `Exception`."""
    raise SystemExit(3)


@task(pool="io")
def hide() -> None:
    """Raise what is imported nowhere else."""

    class HiddenError(Exception):
        pass

    raise HiddenError("in here")


@task(pool="solo")
def hold(gate: str) -> str:
    """Run until there is a file."""
    while not Path(gate).exists():
        time.sleep(0.01)
    return "open"


@task(pool="solo")
def heed(gate: str) -> None:
    """Run until somebody asks it to stop."""
    Path(gate).touch()
    while not current_task().cancelled:
        time.sleep(0.01)


@task(pool="solo", timeout=0.2)
def oversleep() -> None:
    """Take too long."""
    time.sleep(60)


@task(pool="solo")
def die() -> None:
    """Take the worker along."""
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


@task(pool="cpu")
def large(size: int) -> str:
    """Return much."""
    return "x" * size


@task(pool="cpu")
def note(path: str, line: str) -> str:
    """Add a line to a file: once for each run."""
    with Path(path).open("a") as file:
        file.write(f"{line}\n")
    return line


@task(pool="io")
def hand_on(number: int) -> list[int]:
    """Submit tasks, and wait for them."""
    client = default_client()
    futures = [client.submit(add, each) for each in range(number)]
    return [future.result(60) for future in futures]


@task(pool="io")
def talk(lines: int) -> None:
    """Say some lines."""
    for number in range(lines):
        print(f"line {number}")  # noqa: T201
