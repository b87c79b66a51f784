"""Functions that compute on threads which a native library starts, or which they start themselves.

The library is imported by a call, which counts the threads that this starts.
"""

import hashlib
import os
import threading
import time
from pathlib import Path
from typing import Any

from pooldeck import task


@task
def invert(omp_threads: str | None = None) -> dict[str, Any]:
    """Invert a matrix, after setting a variable by itself if told to; count the new threads."""
    if omp_threads is not None:
        os.environ["OMP_NUM_THREADS"] = omp_threads
    before = _threads()
    import numpy as np  # noqa: PLC0415

    np.linalg.inv(np.eye(300) + 1.0)
    return {"threads": 1 + _threads() - before, "variable": os.environ.get("OMP_NUM_THREADS")}


def _threads() -> int:
    return sum(1 for _ in Path("/proc/self/task").iterdir())


@task
def digest_on(threads: int, seconds: float) -> None:
    """Hash on so many threads of its own, each for so many seconds of CPU time."""
    helpers = [threading.Thread(target=_digest, args=(seconds,)) for _ in range(threads)]
    for helper in helpers:
        helper.start()
    for helper in helpers:
        helper.join()


def _digest(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        hashlib.sha256(bytes(1_000_000)).digest()
