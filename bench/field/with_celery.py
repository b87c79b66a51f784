"""The other side of the figure for starts: Celery with Redis as its broker and for its results."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.field.redis_server import redis_server

_APP = """\
from celery import Celery

app = Celery("app", broker="{address}", backend="{address}")


@app.task
def noop():
    pass
"""
_CLIENT = """\
import time
from app import noop

print("ready", flush=True)
input()
noop.delay().get(timeout=120)
print(time.monotonic(), flush=True)
"""


class Brokered:
    """A broker that runs, and an app of Celery's in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def seconds_to_first_result(self) -> float:
        """Start a worker; return the seconds until a client that waits has a result."""
        client = subprocess.Popen(
            [sys.executable, "client.py"],
            cwd=self._folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with client, (self._folder / "log").open("ab") as log:
            assert client.stdin is not None
            assert client.stdout is not None
            client.stdout.readline()
            began = time.monotonic()
            worker = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "app", "worker", "-c", "2"],
                cwd=self._folder,
                stdout=log,
                stderr=log,
            )
            try:
                client.stdin.write(b"\n")
                client.stdin.close()
                return float(client.stdout.readline()) - began
            finally:
                worker.terminate()
                worker.wait()


@contextlib.contextmanager
def brokered(folder: Path) -> Iterator[Brokered]:
    """Run a Redis that keeps what it has as durably as Celery's users have it, for the body."""
    folder.mkdir(parents=True, exist_ok=True)
    with redis_server(folder / "redis") as address:
        (folder / "app.py").write_text(_APP.format(address=address))
        (folder / "client.py").write_text(_CLIENT)
        yield Brokered(folder)
