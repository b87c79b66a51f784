"""What one durable write costs on this disk: the floor under every figure that waits for one."""

import os
import statistics
import time
from pathlib import Path

from bench.figures import Figure

_PAGE = bytes(4096)


def measure(folder: Path, times: int) -> Figure:
    """Measure how long it takes to append a page to a file in `folder` and sync it."""
    with (folder / "synced").open("wb", buffering=0) as file:
        milliseconds = [_write(file.fileno()) for _ in range(times)]
    return Figure("one synced write, this disk: median", statistics.median(milliseconds), "ms")


def _write(number: int) -> float:
    began = time.perf_counter()
    os.write(number, _PAGE)
    os.fsync(number)
    return 1000 * (time.perf_counter() - began)
