"""Functions that are tested by the fixtures of the pytest plugin."""

import asyncio
from datetime import date
from pathlib import Path
from typing import Any

from pooldeck import current_task, task


class OutOfPaperError(Exception):
    """One of the user's own."""


@task
def add(a: int, b: int) -> int:
    return a + b


@task
def echo(value: Any) -> Any:
    return value


@task
def fail(message: str) -> None:
    raise OutOfPaperError(message)


@task(retries=2, backoff=0.01)
def flaky(counter: str, fails: int) -> int:
    """Fail so many times, and then return how often it was run."""
    path = Path(counter)
    runs = int(path.read_text()) + 1 if path.exists() else 1
    path.write_text(str(runs))
    if runs <= fails:
        raise ConnectionError(f"run {runs}")
    return runs


@task
async def later(value: int) -> int:
    await asyncio.sleep(0)
    return value


@task
def weekday(day: date) -> int:
    return day.weekday()


@task
def unencodable() -> Any:
    return object()


@task
def talkative() -> str:
    current_task().progress(0.5, "half")
    current_task().log("here I am")
    return current_task().function


@task
def add_later(a: int, b: int) -> str:
    """Submit another task."""
    return add.options(tags=["from within"]).submit(a, b).stored()


@task(sensitive=("secret",))
def login(name: str, secret: str) -> str:
    return f"{name}:{len(secret)}"
