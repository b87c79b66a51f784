"""Functions that write much to their logs."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from pooldeck import current_task, task


@task
def flood(lines: int) -> None:
    """Say so many lines by three ways, each line with its number and some weight."""
    say: list[Callable[[str], object]] = [print, logging.getLogger("acme").info, current_task().log]
    for n in range(lines):
        say[n % 3](f"{n:05d} {'.' * (n % 97)}")


@task(pool="io", timeout=0.3)
def late(gate: str) -> None:
    """Outlive its timeout, so that its thread is abandoned, until there is a file."""
    while not Path(gate).exists():
        time.sleep(0.01)
