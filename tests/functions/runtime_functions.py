"""Functions that the tests of the runtime submit; their workers import this module."""

import os
import time
from concurrent.futures import CancelledError
from pathlib import Path

from pooldeck import current_task, task


@task
def add(a: int, b: int) -> int:
    """Add two integers."""
    return a + b


@task
def note(path: str, word: str) -> None:
    """Append a word to a file."""
    with Path(path).open("a") as file:
        file.write(f"{word}\n")


@task
def wait_for(path: str) -> str:
    """Wait until a file is there, and return what it says."""
    file = Path(path)
    while not file.exists():
        time.sleep(0.005)
    return file.read_text()


@task
def half(path: str) -> str:
    """Say that half is done, then wait until a file is there."""
    current_task().progress(0.5)
    return wait_for(path)


@task
def leave(code: int) -> None:
    """End the worker."""
    os._exit(code)


@task(sensitive=("password",))
def log_in(user: str, password: str) -> str:
    """Take something that nobody may see."""
    return f"{user} {len(password)}"


def need_flag() -> None:
    """Refuse to start a worker, as an initializer, unless a file is there."""
    flag = Path(os.environ["POOLDECK_TESTS_FLAG"])
    if not flag.exists():
        raise RuntimeError(f"{flag.name} is missing")


@task
def heed(path: str) -> str:
    """Note that it runs, then run until it is asked to end."""
    Path(path).touch()
    while not current_task().cancelled:
        time.sleep(0.005)
    return "ended when asked"


@task
def give_in(path: str) -> None:
    """Note that it runs, and give up when it is asked to end."""
    heed(path)
    raise CancelledError


@task
def fail_until(path: str, runs: int) -> int:
    """Note each run, and fail in all but the last of `runs`."""
    with Path(path).open("a") as file:
        file.write(f"{time.time()}\n")
    done = len(Path(path).read_text().splitlines())
    current_task().log(f"run {done}")
    if done < runs:
        raise ValueError(f"run {done} of {runs}")
    return done


@task(idempotent=True)
def crash_until(path: str, runs: int) -> int:
    """Note each run, and end the worker in all but the last of `runs`."""
    with Path(path).open("a") as file:
        file.write("run\n")
    done = len(Path(path).read_text().splitlines())
    if done < runs:
        os._exit(1)
    return done


@task(timeout=0.3)
def overrun() -> None:
    """Take longer than it may."""
    time.sleep(600)


@task
def sleep(seconds: float) -> float:
    """Take so long, whatever is asked."""
    time.sleep(seconds)
    return seconds


@task
def nap(seconds: float, code: int | None = None) -> None:
    """Take so long, and end the worker if told how."""
    time.sleep(seconds)
    if code is not None:
        os._exit(code)


@task(pool="io")
def settled() -> None:
    """Name its pool itself."""
