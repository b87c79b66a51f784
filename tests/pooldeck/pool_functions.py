"""Functions that the tests of the pool call; their workers import this module."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from pooldeck import task


@task
def add(a: int, b: int) -> int:
    """Add two integers."""
    return a + b


@task
def wait_for(path: str) -> str:
    """Wait until a file is there."""
    while not Path(path).exists():
        time.sleep(0.005)
    return path


@task
def leave(code: int) -> None:
    """End the worker with an exit code."""
    os._exit(code)


@task
def segfault() -> None:
    """Read where nothing is."""
    ctypes.string_at(0)


@task
def kill_self(number: int) -> None:
    """Send the worker a signal."""
    os.kill(os.getpid(), number)
    signal.pause()


@task
def leave_with_child(path: str) -> None:
    """Start a process that would outlive the worker, note its id, and end the worker."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(path).write_text(str(child.pid))
    os._exit(0)


def refuse() -> None:
    """Fail as an initializer."""
    raise RuntimeError("the warehouse is closed")


def hang() -> None:
    """Never return, as an initializer."""
    time.sleep(600)
