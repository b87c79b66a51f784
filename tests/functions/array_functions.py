"""Functions on arrays, of a module that imports NumPy as those of users do."""

import time

import numpy as np

from pooldeck import task


@task
def add_small_arrays(seconds: float) -> float:
    """Add up small arrays in a loop, for so many seconds of CPU time; that takes the GIL."""
    numbers, total, until = np.arange(16.0), 0.0, time.thread_time() + seconds
    while time.thread_time() < until:
        total += float((numbers + 1.0).sum())
    return total
