"""Functions on which there is something to advise; workers import this module."""

import time

from pooldeck import task


@task(pool="cpu")
def fetch(seconds: float = 0.05) -> None:
    """Wait, in a process."""
    time.sleep(seconds)


@task
def linger(seconds: float = 0.05) -> None:
    """Wait, and leave the pool to the server."""
    time.sleep(seconds)


@task
def guess(seconds: float = 0.0) -> None:
    """Leave the pool to the server."""
    time.sleep(seconds)
