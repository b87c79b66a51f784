"""Functions whose tasks the pages are looked at with; workers import this module."""

import ctypes
import logging
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, Literal

from pooldeck import current_task, task

_PLACES: dict[str, str] = {}
_KEPT: list[bytes] = []
_IN_COLOURS = "\x1b[31mexpected\x1b[0m 3, got 4"
_LONGEST_WAIT = 280.0  # seconds, so that nothing outlives its test


@task(pool="cpu")
def add(left: int, right: int = 2) -> int:
    """Add two numbers."""
    return left + right


@task(pool="cpu")
def count(rounds: int, pause: float = 0.0) -> int:
    """Compute, holding the GIL, and wait for a moment."""
    time.sleep(pause)
    return sum(number * number for number in range(rounds))


@task(pool="cpu")
def keep(mebibytes: int) -> int:
    """Let the process grow by so much, for good."""
    _KEPT.append(b"x" * mebibytes * 1024 * 1024)
    return len(_KEPT)


@task(pool="cpu")
def fail(word: str) -> str:
    """Fail because of something else."""
    try:
        return _PLACES[word]
    except KeyError as error:
        raise ValueError(f"no place for {word}") from error


@task(pool="io")
def tell(lines: list[str]) -> int:
    """Log some lines."""
    for line in lines:
        logging.getLogger("shown").warning(line)
    return len(lines)


@task(pool="io")
def nap(seconds: float) -> None:
    """Sleep for a moment."""
    time.sleep(seconds)


@task(pool="cpu")
def hold(path: str) -> str:
    """Keep a process until the file `path` is there."""
    return _wait_for(Path(path))


@task(pool="io")
def wait(path: str) -> str:
    """Keep a thread until the file `path` is there."""
    return _wait_for(Path(path))


@task(pool="io")
def narrate(path: str) -> str:
    """Log before and after the file `path` is there."""
    logging.getLogger("shown").info("before the file")
    found = _wait_for(Path(path))
    logging.getLogger("shown").warning("after the file")
    return found


@task(pool="io", sensitive=("secret",))
def log_in(user: str, secret: str) -> str:
    """Take a secret."""
    return f"{user} gave {len(secret)} characters"


@task(pool="io")
def choose(
    mode: Literal["fit", "fill"],
    sharp: bool = False,
    boxes: list[int] | None = None,
    *rest: int,
    title: str = "none",
    **more: int,
) -> dict[str, Any]:
    """Give back what was given."""
    chosen = {"mode": mode, "sharp": sharp, "boxes": boxes, "title": title}
    return chosen | {"rest": rest, "more": more}


@task(pool="io", retries=1, backoff=0.01)
def stumble() -> int:
    """Fail at the first attempt only."""
    print(f"attempt {current_task().attempt}")  # noqa: T201
    if current_task().attempt == 1:
        raise OSError("<b>not</b> yet")
    return current_task().attempt


@task(pool="cpu")
def die() -> None:
    """Take the worker along."""
    os.kill(os.getpid(), signal.SIGSEGV)


@task(pool="io")
def stray(into: str) -> None:
    """Say so, and read where nothing is."""
    logging.getLogger("shown").warning("about to stray into %s", into)
    ctypes.string_at(0)


@task(pool="cpu")
def recite(rows: int) -> None:
    """Print so many lines, with an error before and after them."""
    logging.getLogger("shown").error("the beginning")
    print("\n".join(f"row {row}" for row in range(rows)))  # noqa: T201
    logging.getLogger("shown").error("the end")


@task(pool="cpu")
def tint() -> None:
    """Print and fail in colours."""
    print("\x1b[32mPASSED\x1b[0m 3, \x1b[1;31mFAILED <b>1</b>\x1b[0m\x1b[2K")  # noqa: T201
    raise ValueError(_IN_COLOURS)


@task(pool="cpu")
def draw(path: str) -> None:
    """Draw a bar that moves when there is a file with ".half" behind `path`, and then `path`."""
    sys.stderr.write("\r10 %")
    time.sleep(0.3)  # as many a bar does: it is there before the next line is
    print("said after it")  # noqa: T201
    _wait_for(Path(path).with_suffix(".half"))
    sys.stderr.write("\r50 %")
    _wait_for(Path(path))
    sys.stderr.write("\r100 %\n")


@task(pool="nowhere")
def stranded() -> None:
    """Name a pool that does not exist."""


def _wait_for(path: Path) -> str:
    current_task().progress(0.25, "waiting for a file")
    end = time.monotonic() + _LONGEST_WAIT
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.02)
    return "found"
