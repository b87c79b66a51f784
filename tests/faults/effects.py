"""The effect log: what the functions really did, written by themselves, whatever the server says.

One line per start and per end, and for some functions signs of life, each a single append, so that
a process killed between two lines leaves none of them in half.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from pooldeck import current_task

VARIABLE = "FAULTS_EFFECTS"


class Effect(Struct, frozen=True):
    """A line: `at` is in seconds of the monotonic clock, `said_at` in those since the epoch."""

    what: Literal["start", "alive", "end"]
    function: str
    task: str
    attempt: int
    pid: int
    at: float
    said_at: float


@contextmanager
def effect() -> Iterator[None]:
    """Note the start and the end of the task that runs here."""
    _note("start")
    try:
        yield
    finally:
        _note("end")


def sign_of_life() -> None:
    """Note that the task that runs here goes on."""
    _note("alive")


def _note(what: Literal["start", "alive", "end"]) -> None:
    task, now = current_task(), (time.monotonic(), time.time())
    line = Effect(what, task.function, task.id, task.attempt, os.getpid(), *now)
    log = os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(log, msgspec.json.encode(line) + b"\n")
    finally:
        os.close(log)


def read(log: Path) -> list[Effect]:
    """Return the lines of a log in the order in which they were written."""
    if not log.exists():
        return []
    whole, _, _ = log.read_bytes().rpartition(b"\n")  # of the last line, half may be there
    return [msgspec.json.decode(line, type=Effect) for line in whole.splitlines()]
