"""Starts the servers that are measured, each a process of its own, and ends them again."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import psutil

from bench.record import Record

_ROOT = Path(__file__).parents[1]
_DATABASE = "pooldeck.sqlite3"
_START_SECONDS = 150.0
_STOP_SECONDS = 60.0
CONFIGURATION = """\
functions = ["bench.functions"]
grace_seconds = 0
hold_after = 0

[pools.io]
kind = "thread"
size = 16

[pools.cpu]
kind = "process"
size = 2

[pools.held]
kind = "thread"
size = 1
queue_limit = 2_000_000
"""
KEEPS_ALL = f"""\
{CONFIGURATION}
[retention]
succeeded = 0
failed = 0
most = 0
"""
"""The same, with tasks kept however old and many they are."""


class Server:
    """A process that serves HTTP on a port of this machine."""

    def __init__(
        self, process: subprocess.Popen[bytes], port: int, log: Path, token: str | None = None
    ) -> None:
        self.port = port
        self._credentials = {} if token is None else {"Authorization": f"Bearer {token}"}
        self.process = psutil.Process(process.pid)
        self._popen = process
        self._log = log

    def get(self, path: str) -> Any:
        """Return what stands at `path`, decoded from JSON."""
        return msgspec.json.decode(self.fetch(path))

    def fetch(self, path: str) -> bytes:
        """Return what stands at `path`.

        Raises:
            RuntimeError: If the answer is another than 200.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request("GET", path, headers=self._credentials)
            answer = connection.getresponse()
            if answer.status != http.client.OK:
                raise RuntimeError(f"{path} answered {answer.status}: {answer.read()[:500]!r}")
            return answer.read()

    def cpu_seconds(self) -> float:
        """Return the CPU time that the process has taken, without its children."""
        times = self.process.cpu_times()
        return times.user + times.system

    def wait_until_it_listens(self) -> None:
        """Return when the port takes connections.

        Raises:
            RuntimeError: If the process ends first, with the end of its log.
        """

        def is_there() -> bool:
            if self._popen.poll() is not None:
                end = self._log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"a server ended at its start:\n{end}")
            return listens(self.port)

        wait_until(is_there, _START_SECONDS)

    def kill(self) -> None:
        """End the process as a power cut would."""
        self._popen.kill()
        self._popen.wait()

    def stop(self) -> None:
        """End the process; the way a person would, and by force if that does not help."""
        self._popen.terminate()
        try:
            self._popen.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
            print("a server had to be killed: it did not end on SIGTERM", file=sys.stderr)


class Pooldeck(Server):
    """A Pooldeck; by default with the pools `cpu` (2 processes), `io` (16 threads), `held` (1)."""

    def __init__(
        self, process: subprocess.Popen[bytes], port: int, folder: Path, token: str | None
    ) -> None:
        super().__init__(process, port, folder / "log", token)
        self.folder = folder
        self.record = Record(folder / _DATABASE)

    def wait_until_ready(self, *, is_looked_at: bool = True) -> None:
        """Return when every worker has reported; or the first, if it is not to be looked at."""
        self.wait_until_it_listens()
        wait_until(self._is_ready if is_looked_at else self._can_run, _START_SECONDS)

    def _can_run(self) -> bool:
        with contextlib.suppress(RuntimeError):  # not yet
            self.get("/readyz")
            return True
        return False

    def _is_ready(self) -> bool:
        pools = self.get("/api/v1/pools")["items"]
        workers = [worker for pool in pools for worker in pool["workers"]]
        ready = {"idle", "busy", "spare"}
        return bool(workers) and all(worker["state"] in ready for worker in workers)

    def answers_ready(self) -> bool:
        """Tell whether the server answers, and says that it is ready."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_START_SECONDS)
        with contextlib.closing(connection), contextlib.suppress(OSError):
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.client.OK
        return False

    def busy(self, pool: str) -> int:
        """Return how many slots of `pool` run something."""
        return int(self.get(f"/api/v1/pools/{pool}")["busy"])


@contextlib.contextmanager
def pooldeck(
    folder: Path,
    configuration: str = CONFIGURATION,
    token: str | None = None,
    module: str = "pooldeck",
    *,
    is_looked_at: bool = True,
) -> Iterator[Pooldeck]:
    """Run a Pooldeck on the database in `folder`, which it makes if there is none.

    Without `is_looked_at` it is asked for nothing but whether it can run tasks.
    """
    server = launch(folder, configuration, token, module)
    try:
        server.wait_until_ready(is_looked_at=is_looked_at)
        yield server
    finally:
        server.stop()


def launch(
    folder: Path,
    configuration: str = CONFIGURATION,
    token: str | None = None,
    module: str = "pooldeck",
) -> Pooldeck:
    """Start a Pooldeck on the database in `folder`, set by the text of a pooldeck.toml.

    With a `token` it asks everybody for that. `module` is what carries out the command.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "pooldeck.toml"
    asked = "" if token is None else f'token = "{token}"\n'
    file.write_text(asked + configuration)
    port = free_port()
    command = [
        *("-m", module, "serve", "--config", file.name),
        *("--data", ".", "--port", str(port)),
    ]
    return Pooldeck(_start(command, folder), port, folder, token)


@contextlib.contextmanager
def application(name: str, folder: Path) -> Iterator[Server]:
    """Run an app of `bench.applications` under the same HTTP server as Pooldeck's."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [
        *("-m", "uvicorn", f"bench.applications:{name}", "--port", str(port)),
        *("--loop", "uvloop", "--http", "httptools", "--lifespan", "off"),
        *("--no-access-log", "--log-level", "warning"),
    ]
    server = Server(_start(command, folder), port, folder / "log")
    try:
        server.wait_until_it_listens()
        yield server
    finally:
        server.stop()


def _start(arguments: Sequence[str], folder: Path) -> subprocess.Popen[bytes]:
    """Start Python with `arguments` in `folder`, where its output goes to the file `log`."""
    settings = {name: value for name, value in os.environ.items() if name[:9] != "POOLDECK_"}
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            env=settings | {"PYTHONPATH": str(_ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def listens(port: int) -> bool:
    """Tell whether somebody on this machine takes connections at a port."""
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    return False


def free_port() -> int:
    """Return a port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(holds: Callable[[], bool], seconds: float, pause: float = 0.05) -> None:
    """Return as soon as `holds` does; it is asked every `pause` seconds.

    Raises:
        TimeoutError: If it does not within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s in vain")
        time.sleep(pause)
