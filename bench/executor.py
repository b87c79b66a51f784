"""The other side of the figure for batches: the stdlib's pool of two processes.

`rate` measures it in a process of its own (`python -m bench.executor NUMBER`), since it forks.
"""

import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from bench.functions import noop

_LONGEST_RUN = 300  # seconds


def rate(tasks: int) -> float:
    """Return how many no-ops a second a `ProcessPoolExecutor(2)` runs, of `tasks` in all."""
    completed = subprocess.run(
        [sys.executable, "-m", "bench.executor", str(tasks)],
        stdout=subprocess.PIPE,
        text=True,
        timeout=_LONGEST_RUN,
        check=True,
    )
    return tasks / float(completed.stdout)


def _seconds(tasks: int) -> float:
    with ProcessPoolExecutor(2) as pool:
        pool.submit(noop).result()  # starts the workers
        began = time.perf_counter()
        futures = [pool.submit(noop) for _ in range(tasks)]
        for future in futures:
            future.result()
        return time.perf_counter() - began


if __name__ == "__main__":
    print(_seconds(int(sys.argv[1])))
