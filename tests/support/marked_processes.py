"""Real processes that carry a server's marks, and programs for them to run."""

import gc
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import psutil

from pooldeck.marks import BOOT, WORKER
from tests.support.programs import started

WAIT = "import signal; print(flush=True); signal.pause()"
FAMILY = """
import os, signal, time
if not os.fork():  # a grandchild in a session of its own, with nobody left to wait for it
    os.setsid()
    between = os.getpid()
    if os.fork():
        os._exit(0)
    while os.getppid() == between:
        time.sleep(0.001)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print(os.getpid(), flush=True)
    signal.pause()
os.wait()
signal.pause()
"""
HOLD_THE_GIL = "import ctypes; print(flush=True); ctypes.PyDLL(None).sleep(600)"
BREED = """
import os, signal, time
print(flush=True)
for _ in range(2000):
    if not os.fork():
        signal.pause()
    time.sleep(0.001)
"""


def new_boot() -> str:
    """Return a mark that nobody else uses."""
    return secrets.token_hex(8)


def marks(boot: str, worker: str = "cpu-1") -> dict[str, str]:
    """Return the environment of a process with these marks."""
    return {**os.environ, BOOT: boot, WORKER: worker}


def process(
    program: str, environment: dict[str, str]
) -> AbstractContextManager["subprocess.Popen[bytes]"]:
    """Run a program that prints a line when it is ready; end it with the block."""
    return started([sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE)


def said(program: "subprocess.Popen[bytes]") -> str:
    """Wait for the line by which a process says that it is ready, and return it."""
    assert program.stdout is not None
    return program.stdout.readline().decode().strip()


def lives(pid: int) -> bool:
    """Tell whether there is such a process, and no zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def descriptors() -> int:
    """Return how many file descriptors this process has open, without what others left behind."""
    gc.collect()
    return psutil.Process().num_fds()


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for a condition.

    Raises:
        AssertionError: If it does not come true in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.005)
