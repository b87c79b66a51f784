"""A Redis of one measurement: on a port of this machine, with its files in a folder."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.processes import free_port, wait_until

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Run a Redis that appends each change to its log and syncs that once a second.

    Yields:
        Its address.
    """
    folder.mkdir(parents=True)
    port = free_port()
    options = {"bind": "127.0.0.1", "port": port, "dir": folder, "save": ""}
    options |= {"appendonly": "yes", "appendfsync": "everysec", "daemonize": "no"}
    program = shutil.which("redis-server")
    if program is None:
        raise FileNotFoundError("redis-server is not on the path")
    command = [program]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    address = f"redis://127.0.0.1:{port}/0"
    try:
        wait_until(lambda: _answers(address), _START_SECONDS)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def connected(address: str) -> Any:
    """Return a connection to a Redis."""
    from redis import Redis  # noqa: PLC0415 - only where there is one: see `bench.field`

    return Redis.from_url(address)


def _answers(address: str) -> bool:
    from redis.exceptions import ConnectionError as NotThere  # noqa: PLC0415 - as above

    with contextlib.suppress(NotThere), contextlib.closing(connected(address)) as redis:
        return bool(redis.ping())
    return False
