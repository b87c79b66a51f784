"""The other side of the figure for starts: Celery with Redis as its broker and for its results.

Neither is installed for development. Redis is found on PATH, and Celery with its client for Redis
beside this Python or beside a `celery` on PATH.
"""

import contextlib
import importlib.util
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.processes import free_port, listens, wait_until

_LONGEST = 120.0  # seconds
_APP = """\
from celery import Celery

app = Celery("app", broker="redis://127.0.0.1:{port}/0", backend="redis://127.0.0.1:{port}/1")


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


def missing() -> str | None:
    """Return the name of what is not installed here, if anything is not."""
    if shutil.which("redis-server") is None:
        return "redis-server"
    return None if _python() else "celery"


def _python() -> str | None:
    if importlib.util.find_spec("celery") is not None:
        return sys.executable
    found = shutil.which("celery")
    return None if found is None else str(Path(found).parent / "python")


class Brokered:
    """A broker that runs, and an app of Celery's in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._python = _python() or sys.executable

    def seconds_to_first_result(self) -> float:
        """Start a worker; return the seconds until a client that waits has a result."""
        client = subprocess.Popen(
            [self._python, "client.py"],
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
                [self._python, "-m", "celery", "-A", "app", "worker", "-c", "2"],
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
    port = free_port()
    (folder / "app.py").write_text(_APP.format(port=port))
    (folder / "client.py").write_text(_CLIENT)
    with (folder / "redis.log").open("wb") as log:
        redis = subprocess.Popen(
            [
                *("redis-server", "--port", str(port), "--bind", "127.0.0.1"),
                *("--save", "", "--appendonly", "yes", "--appendfsync", "everysec"),
                *("--dir", str(folder)),
            ],
            stdout=log,
        )
    try:
        wait_until(lambda: listens(port), _LONGEST)
        yield Brokered(folder)
    finally:
        redis.terminate()
        redis.wait()
