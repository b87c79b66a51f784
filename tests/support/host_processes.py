"""Real host processes, started as people do: `pooldeck host`."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from pooldeck_server.domain.access import Role
from pooldeck_server.domain.tokens import CreateToken, TokenRequest
from pooldeck_server.runtime.access.asking import ask
from tests import FUNCTIONS
from tests.support.programs import started
from tests.support.served import Served
from tests.support.serving import COMMAND
from tests.support.waiting import eventually

QUICK = {"lease_seconds": 2, "renew_seconds": 0.2, "margin_seconds": 1}
"""Leases for tests that wait for their end."""

HOSTED = {
    "io": {"kind": "thread", "size": 1},
    "cpu": {"kind": "thread", "size": 1},  # instead of the default one, with its processes
    "big": {"kind": "process", "size": 2, "spare": 0, "hosts": {"engine": "manual"}},
    "solo": {"kind": "process", "size": 1, "hosts": {"engine": "manual"}},  # without a host
}
"""Pools on the server's machine, and pools on hosts."""


def hosts_settings(**more: Any) -> dict[str, Any]:
    """Return settings of a server that lets hosts in, on a free port."""
    return {"pools": HOSTED, "hosts": {"listen": "127.0.0.1:0", **QUICK, **more}}


def host_token(socket: Path, name: str = "hosts", role: Role = Role.HOST) -> str:
    """Have a running server make a token."""
    answer = ask(socket, CreateToken(TokenRequest(name, role)))
    assert answer.secret is not None, answer.error
    return answer.secret


def place_of(server: Served) -> str:
    """Return where a server in this process listens for hosts."""
    listener = server.app.server.hosting.listener
    assert listener is not None
    return listener.place


@contextmanager
def host_process(
    folder: Path,
    name: str,
    server: str,
    token: str,
    *,
    pool: str = "big",
    functions: Path = FUNCTIONS,
    **variables: str,
) -> "Iterator[subprocess.Popen[Any]]":
    """Run a host for the time of the block; its log is `NAME.log` in the folder."""
    inherited = {
        key: value
        for key, value in os.environ.items()
        if "POOLDECK" not in key and key != "PYTHONPATH"  # it has the functions of the server
    }
    environment = {"POOLDECK_SERVER": server, "POOLDECK_TOKEN": token, **variables}
    folder.mkdir(exist_ok=True)
    command = [*COMMAND, "host", "--pool", pool, "--name", name, "--state", str(folder / "state")]
    with (
        (folder / f"{name}.log").open("wb") as log,
        started(
            [*command, "--path", str(functions)],
            cwd=folder,
            env=inherited | environment,
            stderr=_as_any(log),
        ) as process,
    ):
        yield process
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _as_any(file: IO[bytes]) -> Any:
    return file


def pool_of(server: Served, pool: str = "big") -> dict[str, Any]:
    """Return a pool as the API shows it."""
    shown: dict[str, Any] = server.http.get(f"/api/v1/pools/{pool}").json()
    return shown


def wait_for_workers(server: Served, number: int, pool: str = "big") -> list[dict[str, Any]]:
    """Return the workers of a pool when so many can be handed tasks."""

    def ready() -> list[dict[str, Any]]:
        return [each for each in pool_of(server, pool)["workers"] if each["state"] == "idle"]

    eventually(lambda: len(ready()) == number, f"{number} workers of {pool} are ready")
    return ready()
