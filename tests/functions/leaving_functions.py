"""Functions that leave something behind: for the next call, or for the end of their worker."""

import atexit
import ctypes
import os
import signal
import subprocess
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from pooldeck import task

T = TypeVar("T")
_kept: Final[list[object]] = []


def _wait_for(path: str) -> None:
    while not Path(path).exists():
        time.sleep(0.005)


@task
def leave_killer(how: str, go: str) -> None:
    """Leave something that ends the worker when a file is there."""
    ends: dict[str, Callable[[], object]] = {
        "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "segfault": lambda: ctypes.string_at(0),
        "exit": lambda: os._exit(7),
    }

    def end() -> None:
        _wait_for(go)
        ends[how]()

    if how == "child":
        script = f'until [ -e "{go}" ]; do sleep 0.01; done; kill -9 {os.getpid()}'
        _kept.append(subprocess.Popen(["sh", "-c", script]))
    else:
        threading.Thread(target=end).start()


@task
def leave_monitor() -> None:
    """Leave a thread that does nothing, as progress bars do."""
    threading.Thread(target=threading.Event().wait, daemon=True).start()


@task
def leave_alarm() -> None:
    """Leave an alarm."""
    signal.setitimer(signal.ITIMER_REAL, 0.5)


@task
def leave_for_a_while(path: str) -> None:
    """Leave a thread that ends when a file is there."""
    threading.Thread(target=_wait_for, args=(path,)).start()


@task
def crash_in_helper() -> None:
    """Crash on a thread of its own."""
    with ThreadPoolExecutor(1) as executor:
        executor.submit(ctypes.string_at, 0).result()


@task
def note_at_end(how: str, folder: str) -> int:
    """Have a line written when the process ends; return the number of the process."""
    note = partial(_note, how, folder)
    ways: dict[str, Callable[[], object]] = {
        "atexit": lambda: atexit.register(note),
        "finalize": lambda: weakref.finalize(_keep(threading.Event()), note),
        "folder": lambda: (
            _keep(tempfile.TemporaryDirectory(prefix="scratch-", dir=folder)),
            atexit.register(note),
        ),
        "buffer": lambda: _keep((Path(folder) / "ended").open("a")).write(f"{how}\n"),
        "thread": lambda: _start(_rest, note),
        "executor": lambda: _keep(ThreadPoolExecutor(1)).submit(_run, _rest, note),
        "sender": lambda: _start(lambda: threading.main_thread().join(), note),
        "poller": lambda: _start(_poll_main_thread, note),
    }
    ways[how]()
    return os.getpid()


def _note(how: str, folder: str) -> None:
    with (Path(folder) / "ended").open("a") as noted:
        noted.write(f"{how}\n")


def _keep(value: T) -> T:
    _kept.append(value)
    return value


def _run(*steps: Callable[[], object]) -> None:
    for step in steps:
        step()


def _start(*steps: Callable[[], object]) -> None:
    threading.Thread(target=_run, args=steps).start()


def _rest() -> None:
    time.sleep(0.5)


def _poll_main_thread() -> None:
    while threading.main_thread().is_alive():
        time.sleep(0.01)


@task
def hang_at_end() -> int:
    """Have the process hang when it ends; return its number."""
    atexit.register(_hang)
    return os.getpid()


@task
def crash_at_end() -> int:
    """Have the process crash when it ends; return its number."""
    atexit.register(ctypes.string_at, 0)
    return os.getpid()


def _hang() -> None:
    threading.Event().wait()


@task
def wait_for_ever() -> None:
    """Never return."""
    threading.Event().wait()


@task
def wait_for_helper() -> None:
    """Never return, since a thread of an executor does not."""
    with ThreadPoolExecutor(1) as executor:
        executor.submit(threading.Event().wait)


@task
def pid() -> int:
    """Return the number of the process."""
    return os.getpid()


@task
def spoil() -> None:
    """Give up a right, and then what can be put back only with it."""
    if os.getuid() == 0:
        os.setuid(65534)
    os.nice(3)
