# ruff: noqa: T201, LOG015 - this is how tasks speak
"""Functions that say something in all the ways that there are, and some that die of it."""

import concurrent.futures
import ctypes
import logging
import logging.config
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial

from pooldeck import current_task, task

logging.basicConfig(level=logging.DEBUG)
_log = logging.getLogger(__name__)
_c = ctypes.CDLL(None)
_FOR_A_TERMINAL = {"version": 1, "root": {"level": "WARNING", "handlers": []}}


def _empty() -> None:
    logging.getLogger().handlers.clear()


_ENDS: dict[str, Callable[[], object]] = {
    "abort": os.abort,
    "segfault": partial(ctypes.string_at, 0),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "exit": partial(_c.exit, 4),
    "os._exit": lambda: os._exit(4),
}
_WAYS: dict[str, Callable[[], object]] = {
    "migrate": lambda: logging.config.dictConfig(_FOR_A_TERMINAL),
    "disable": lambda: logging.disable(logging.CRITICAL),
    "force": lambda: logging.basicConfig(level=logging.ERROR, force=True),
    "empty": _empty,
}


def _in_thread(call: Callable[[], object]) -> None:
    helper = threading.Thread(target=call)
    helper.start()
    helper.join()


def _words() -> None:
    print("asked")
    _log.warning("late")
    current_task().progress(0.5, "half")


@task
def shares_out() -> None:
    """Have a thread say and report something, and an executor."""
    _in_thread(_words)
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        executor.submit(print, "as well").result()


@task
def helper_breaks() -> None:
    """Break in a thread."""
    _in_thread(lambda: 1 / 0)


@task
def asks_program() -> None:
    """Have a child process say something."""
    subprocess.run(["sh", "-c", "echo 4 files copied; echo no space left >&2"], check=True)


@task
def steps(count: int, name: str) -> None:
    """Have a library in C report."""
    for step in range(count):
        _c.puts(f"solver: {name} step {step}".encode())


@task
def words() -> None:
    """Log and print."""
    _log.debug("detail")
    _log.info("information")
    _log.warning("warning")
    print("printed")


@task
def sets_up(way: str) -> None:
    """Set up logging as for a program of one's own."""
    _WAYS[way]()


@task
def imports(rows: int) -> None:
    """Say more than a log holds."""
    print("\n".join(f"row {row}: ok" for row in range(rows)))
    logging.error("3 rows were left out")
    print("finished with errors")


@task
def dies(end: str, seconds: float = 0) -> None:
    """Say something in all ways, then bring the worker down."""
    print("step 1")
    logging.error("no space left on the disk")
    sys.stderr.write("giving up\n")
    _c.puts(b"solver: the matrix is singular")
    _in_thread(lambda: print("helper"))
    print("half a line", end="")
    time.sleep(seconds)
    _ENDS[end]()


@task
def asks() -> None:
    """Say half a line and wait."""
    print("connecting ...", end="", flush=True)
    os.write(1, b"from below ...")
    time.sleep(60)


@task
def floods_and_dies(rows: int) -> None:
    """Say a lot, then bring the worker down."""
    for row in range(rows):
        print("row", row)
    os.abort()
