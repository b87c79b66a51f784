"""Functions that the tests of the pool call; their workers import this module."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import CancelledError
from pathlib import Path

from pooldeck import current_task, task


@task
def add(a: int, b: int) -> int:
    """Add two integers."""
    return a + b


@task
def long_text(size: int) -> str:
    """Return so many characters."""
    return size * "x"


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
def kill_by_default(number: int) -> None:
    """Let a signal end the worker, as by default, and send it."""
    signal.signal(number, signal.SIG_DFL)
    kill_self(number)


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


@task
def whose() -> int:
    """Return the worker's process id."""
    return os.getpid()


@task
def count_up(path: str, go: str) -> None:
    """Note in a file that this call has started; wait until another file is there."""
    with Path(path).open("a") as file:
        file.write("started\n")
    wait_for(go)


@task
def hold_gil(seconds: float) -> float:
    """Sleep in C code without giving the GIL back; return for how long."""
    start = time.monotonic()
    ctypes.PyDLL(None).usleep(int(seconds * 1e6))
    return time.monotonic() - start


@task
async def hold_gil_async(seconds: float) -> float:
    """Keep the GIL in an event loop."""
    return hold_gil(seconds)


@task
def hold_gil_deep(seconds: float, depth: int = 200) -> float:
    """Keep the GIL far down."""
    return hold_gil_deep(seconds, depth - 1) if depth else hold_gil(seconds)


@task
def hold_gil_when(path: str, seconds: float) -> None:
    """Wait until a file is there, then keep the GIL."""
    wait_for(path)
    ctypes.PyDLL(None).usleep(int(seconds * 1e6))


@task
def rest(seconds: float) -> float:
    """Sleep as any program does; return for how long."""
    start = time.monotonic()
    time.sleep(seconds)
    return time.monotonic() - start


@task
def work_until_asked() -> str:
    """Work until it is asked to end, then leave orderly."""
    while not current_task().cancelled:
        time.sleep(0.005)
    raise CancelledError


@task
def leave_with_session(path: str) -> None:
    """Start a process in a session of its own, note its id, and end the worker."""
    child = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True
    )
    Path(path).write_text(str(child.pid))
    os._exit(0)


@task
def stop_self() -> None:
    """Have the worker stopped, so that nothing in it runs."""
    os.kill(os.getpid(), signal.SIGSTOP)


@task
def segfault_when(path: str) -> None:
    """Wait until a file is there, then read where nothing is."""
    wait_for(path)
    ctypes.string_at(0)


def take_a_second() -> None:
    """Take its time, as an initializer."""
    time.sleep(1.0)


def fail_every_other_time() -> None:
    """Fail as an initializer at the first start, the third, and so on."""
    starts = Path(os.environ["EVERY_OTHER"])
    with starts.open("a") as file:
        file.write("x")
    if len(starts.read_text()) % 2:
        raise RuntimeError("not this time")


def die() -> None:
    """End the worker a moment after its start: it is ready by then, and not yet proven."""
    threading.Timer(0.2, os._exit, (3,)).start()


@task
def take_and_die(size: int) -> None:
    """Use so many bytes, and kill the worker."""
    used = b"x" * size
    kill_self(signal.SIGKILL if used else 0)
