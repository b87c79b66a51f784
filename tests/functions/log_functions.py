"""Functions that say much, in colours, or do not come to the end of a line."""

import logging
import sys
import time
from pathlib import Path

from pooldeck import task

_LONGEST_WAIT = 280.0  # seconds, so that nothing outlives its test


@task(pool="cpu")
def imports(rows: int, wrong: list[int]) -> None:
    """Say so many lines, some of them errors."""
    for row in range(rows):
        (logging.error if row in wrong else logging.info)("row %d", row)
    print("finished")  # noqa: T201


@task(pool="cpu")
def colours() -> None:
    """Say and raise something in colours."""
    print("\x1b[32mPASSED\x1b[0m 3, <b>\x1b[1;31mFAILED\x1b[0m</b> 1")  # noqa: T201
    raise ValueError("\x1b[31mexpected\x1b[0m 3, got 4")


@task(pool="cpu")
def asks(gate: str) -> None:
    """Begin a line, and finish it when there is a file, if that is in time."""
    print("connecting ...", end="", flush=True)  # noqa: T201
    _wait_for(Path(gate))
    print(" done")  # noqa: T201


@task(pool="cpu")
def draws(gate: str) -> None:
    """Draw a bar that moves on when there is a file."""
    print("begun")  # noqa: T201
    sys.stderr.write("\r10 %")
    _wait_for(Path(gate))
    sys.stderr.write("\r100 %\n")


def _wait_for(gate: Path) -> None:
    end = time.monotonic() + _LONGEST_WAIT
    while not gate.exists() and time.monotonic() < end:
        time.sleep(0.02)
