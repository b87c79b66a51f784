"""What goes wrong, on purpose: how failures look on the dashboard."""

import logging
import os
import random

from pooldeck import current_task, task

_log = logging.getLogger(__name__)


@task(pool="io")
def divide(dividend: float = 1, divisor: float = 0) -> float:
    """Divide two numbers; by zero it raises, and the task fails with the traceback."""
    return dividend / divisor


@task(pool="io")
def flaky(failure_rate: float = 0.5) -> str:
    """Fail now and then, as a service at the other end of a network does.

    Args:
        failure_rate: From 0 (never) to 1 (always).
    """
    if random.random() < failure_rate:
        raise ConnectionError("the other side hung up")
    return "got through"


@task(pool="io")
def chatty(lines: int = 20) -> int:
    """Log, print and report progress: all of it belongs to the task's record."""
    for number in range(1, lines + 1):
        _log.info("line %d of %d", number, lines)
        print(f"printed line {number}")
        current_task().progress(number / lines, f"line {number}")
    _log.warning("that was all")
    return lines


@task(pool="cpu")
def crash(exit_code: int = 1) -> None:
    """End the worker's process at once, as a fault in C code would.

    Args:
        exit_code: What the process exits with.
    """
    print("about to take the worker down")
    os._exit(exit_code)
