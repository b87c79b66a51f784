"""The other side of the mixed load: an executor of the stdlib in its default size.

`run` measures one in a process of its own (`python -m bench.choosing.stdlib KIND`), which has its
calls ready and its workers started before the clock begins.
"""

import asyncio
import inspect
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any, Final

import msgspec
from msgspec import Struct

from bench.choosing import functions
from bench.choosing.cases import Case

EXECUTORS: Final[dict[str, type[Executor]]] = {
    "thread": ThreadPoolExecutor,
    "process": ProcessPoolExecutor,
}
_LONGEST: Final = 300  # seconds


class Job(Struct, frozen=True):
    """A function of `functions` by name, and its arguments."""

    function: str
    arguments: tuple[Any, ...]


class Ran(Struct, frozen=True):
    """The seconds from the first submission to the last result, and the results in order."""

    seconds: float
    results: list[Any]


def run(kind: str, cases: Sequence[Case]) -> Ran:
    """Run the cases in an executor of this kind, in a process of its own."""
    jobs = [Job(case.function, case.arguments) for case in cases]
    completed = subprocess.run(
        [sys.executable, "-m", "bench.choosing.stdlib", kind],
        input=msgspec.json.encode(jobs),
        stdout=subprocess.PIPE,
        timeout=_LONGEST,
        check=True,
    )
    return msgspec.json.decode(completed.stdout, type=Ran)


def call(job: Job) -> Any:
    """Call the function of a job here, as a worker of Pooldeck does."""
    returned = getattr(functions, job.function)(*job.arguments)
    return asyncio.run(returned) if inspect.iscoroutine(returned) else returned


def _measure(kind: str, jobs: Sequence[Job]) -> Ran:
    with EXECUTORS[kind]() as executor:
        workers = [executor.submit(time.sleep, 0.05) for _ in range(2 * (os.cpu_count() or 1))]
        for started in workers:
            started.result()
        began = time.perf_counter()
        futures = [executor.submit(call, job) for job in jobs]
        results = [future.result() for future in futures]
        return Ran(time.perf_counter() - began, results)


if __name__ == "__main__":
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=list[Job])
    sys.stdout.buffer.write(msgspec.json.encode(_measure(sys.argv[1], asked)))
