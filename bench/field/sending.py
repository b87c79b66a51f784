"""How soon a queue of the field has done so many no-ops that one client sends in a loop.

The client is a process of its own: `python -m bench.field.sending QUEUE NUMBER`. It says when it
has connected and begins; from then until the queue is empty and everything acknowledged is
what counts.
"""

import contextlib
import importlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from bench.field.redis_server import connected, redis_server
from bench.processes import wait_until

_ROOT: Final = Path(__file__).parents[2]
_LONGEST: Final = 120.0  # seconds
_PAUSE: Final = 0.005  # seconds between two looks
_WARM_UP: Final = 100
_STOP_SECONDS: Final = 10.0
_WORKERS: Final = {
    "dramatiq": ("-m", "dramatiq", "bench.field.with_dramatiq", "--processes", "2"),
    "taskiq": ("-m", "taskiq", "worker", "bench.field.with_taskiq:broker", "--workers", "2"),
}


@contextlib.contextmanager
def serving(queue: str, folder: Path) -> Iterator[Callable[[int], float]]:
    """Run a queue with two worker processes.

    Yields:
        What returns the no-ops a second of so many, from the first one sent to the last one done.
    """
    with redis_server(folder) as address, contextlib.closing(connected(address)) as redis:
        settings = os.environ | {"REDIS_ADDRESS": address, "PYTHONPATH": str(_ROOT)}
        with _workers(queue, folder, settings):
            _rate(queue, settings, redis, _WARM_UP)
            yield lambda number: _rate(queue, settings, redis, number)


@contextlib.contextmanager
def _workers(queue: str, folder: Path, settings: dict[str, str]) -> Iterator[None]:
    with (folder / "workers.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *_WORKERS[queue]],
            cwd=_ROOT,
            env=settings,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _rate(queue: str, settings: dict[str, str], redis: Any, number: int) -> float:
    client = subprocess.Popen(
        [sys.executable, "-m", "bench.field.sending", queue, str(number)],
        cwd=_ROOT,
        env=settings,
        stdout=subprocess.PIPE,
    )
    with client:
        assert client.stdout is not None
        began = float(client.stdout.readline())
        if client.wait(_LONGEST):
            raise RuntimeError(f"the client of {queue} ended with {client.returncode}")
    wait_until(lambda: _left(queue, redis) == 0, _LONGEST, _PAUSE)
    return number / (time.monotonic() - began)


def _left(queue: str, redis: Any) -> int:
    """Return how many calls are sent and not acknowledged."""
    if queue == "dramatiq":
        return int(redis.hlen("dramatiq:default.msgs"))
    [group] = redis.xinfo_groups("taskiq")
    return int(group["lag"] or 0) + int(group["pending"])


if __name__ == "__main__":
    send = importlib.import_module(f"bench.field.with_{sys.argv[1]}").send
    print(time.monotonic(), flush=True)
    send(int(sys.argv[2]))
