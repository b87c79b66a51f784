"""Functions that write much to their logs."""

import logging
from collections.abc import Callable
from threading import Event

from pooldeck import current_task, task


@task
def flood(lines: int) -> None:
    """Say so many lines by three ways, each line with its number and some weight."""
    say: list[Callable[[str], object]] = [print, logging.getLogger("acme").info, current_task().log]
    for n in range(lines):
        say[n % 3](f"{n:05d} {'.' * (n % 97)}")


@task(pool="io", timeout=0.3)
def late() -> None:
    """Outlive its timeout, so that its thread is abandoned."""
    Event().wait(1.5)
