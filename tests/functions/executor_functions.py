"""Functions that the tests of `ProcessPool` call; workers import this module."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from multiprocessing.synchronize import Semaphore
from pathlib import Path
from typing import Any, NoReturn

_given: list[Any] = []


def remember(*values: Any) -> None:
    """Keep what an initializer was given."""
    _given.extend(values)


def count_up() -> int:
    """Take from a semaphore and put the process id into a queue, both from the initializer."""
    semaphore, queue = _given
    assert isinstance(semaphore, Semaphore)
    taken = semaphore.acquire(block=False)
    queue.put(os.getpid())
    return int(taken)


def refuse(*_: Any) -> NoReturn:
    """Fail as an initializer."""
    raise RuntimeError("the warehouse is closed")


def work(seconds: float = 0.0) -> int:
    """Sleep, and return the process id."""
    time.sleep(seconds)
    return os.getpid()


def say_pid(path: str, gate: str = "") -> int:
    """Write the process id into a file, and return when another one is there."""
    Path(path).write_text(str(os.getpid()))
    while gate and not Path(gate).exists():
        time.sleep(0.005)
    return os.getpid()


def linger(path: str, seconds: float) -> None:
    """Leave a thread behind that writes a file later."""

    def write() -> None:
        time.sleep(seconds)
        Path(path).touch()

    threading.Thread(target=write).start()


def spin(path: str) -> None:
    """Write the process id into a file, and never return."""
    Path(path).write_text(str(os.getpid()))
    while True:
        pass


def die(number: int) -> None:
    """End the worker by a signal."""
    os.kill(os.getpid(), number)
    signal.pause()


def leave(code: int) -> None:
    """End the worker with an exit code."""
    os._exit(code)


def segfault() -> None:
    """Read where nothing is."""
    ctypes.string_at(0)


def leave_a_child(path: str) -> None:
    """Start a process in a session of its own, write its id into a file, and never return."""
    child = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True
    )
    spin_until_seen(path, child.pid)


def spin_until_seen(path: str, pid: int) -> None:
    """Write a process id, and wait."""
    Path(path).write_text(str(pid))
    time.sleep(600)


class TwoArguments(Exception):  # noqa: N818 - what it is called is not the point
    """Can be pickled and not unpickled: it passes one of its two arguments on."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one)
        self.two = two


class NoPickle(Exception):  # noqa: N818 - as above
    """Cannot be pickled."""

    def __reduce__(self) -> NoReturn:
        raise TypeError("this stays where it is")


class ExitsWhenUnpickled:
    """Ends the process that unpickles it, if that lets itself be ended."""

    def __reduce__(self) -> tuple[Any, ...]:
        return sys.exit, (1,)


def raise_two_arguments() -> NoReturn:
    """Raise what cannot be unpickled."""
    raise TwoArguments("first", "second")


def raise_no_pickle() -> NoReturn:
    """Raise what cannot be pickled."""
    raise NoPickle("the original words")


def raise_value_error() -> NoReturn:
    """Raise an ordinary error with a cause."""
    raise ValueError("no such value") from KeyError("the cause of it")


def exits_when_unpickled() -> ExitsWhenUnpickled:
    """Return what cannot be unpickled."""
    return ExitsWhenUnpickled()


def make_lambda() -> Any:
    """Return what cannot be pickled."""
    return lambda: None


def size_of(data: bytes) -> int:
    """Measure an argument."""
    return len(data)


def zeros(size: int) -> bytes:
    """Make a large result."""
    return bytes(size)
