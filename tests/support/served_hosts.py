"""A server in a thread of the test process, whose pool `big` is on real hosts of this machine."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from tests import FUNCTIONS
from tests.support.programs import started
from tests.support.served import POOLS, WEB_FUNCTIONS, Served, served
from tests.support.waiting import eventually

POOL = "big"
LEASE = {"lease_seconds": 6.0, "renew_seconds": 0.4, "margin_seconds": 2.0}


class ServedHosts:
    """The server, and its hosts as processes by their names."""

    def __init__(self, server: Served, address: str, folder: Path, stack: ExitStack) -> None:
        self.server = server
        self.address = address
        self.folder = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._stack = stack
        made = self.http.post("/api/v1/tokens", json={"name": "machines", "role": "host"})
        self._token: str = made.json()["secret"]

    @property
    def http(self) -> httpx.Client:
        return self.server.http

    def start(self, name: str, *has: str, **variables: str) -> None:
        """Start a host that has something; it may be refused."""
        told = {"POOLDECK_SERVER": self.address, "POOLDECK_TOKEN": self._token}
        command = ["-m", "pooldeck.hosts", "--pool", POOL, "--name", name]
        command += [f"--has={each}" for each in has]
        self.processes[name] = self._stack.enter_context(
            started(
                [sys.executable, *command, "--state", str(self.folder), "--path", str(FUNCTIONS)],
                env={**os.environ, **told, **variables},
                stderr=subprocess.DEVNULL,
            )
        )

    def pool(self) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get(f"/api/v1/pools/{POOL}").json()
        return found

    def host(self, name: str) -> dict[str, Any]:
        """Return the latest of a name, as the API has it; empty where there is none."""
        found = [each for each in self.pool()["hosts"] if each["name"] == name]
        return max(found, key=lambda each: each["last_contact"], default={})

    def is_in(self, name: str, state: str) -> None:
        """Return when a host is in a state, with slots where it is attached."""

        def there() -> bool:
            host = self.host(name)
            return host.get("state") == state and (state != "attached" or host["slots"] > 0)

        eventually(there, f"{name} is {state}")

    def block(self) -> dict[str, Any]:
        """Return a task that runs on a host until it is ended."""
        task = self.server.submit("block", wait=0, pool=POOL).json()

        def runs() -> bool:
            task.update(self.http.get(f"/api/v1/tasks/{task['id']}").json())
            return bool(task["state"] == "running")

        eventually(runs, "the task runs")
        return task  # type: ignore[no-any-return]  # what JSON has

    def stop(self, name: str) -> None:
        """Let a host stand still, as one does that is not reached."""
        self.processes[name].send_signal(signal.SIGSTOP)

    def go_on(self, name: str) -> None:
        self.processes[name].send_signal(signal.SIGCONT)


@contextmanager
def served_hosts(folder: Path, *names: str, size: int = 1) -> Iterator[ServedHosts]:
    """Serve, with hosts of these names attached."""
    big = {"kind": "process", "size": size, "spare": 0, "hosts": {"engine": "manual"}}
    with socket.create_server(("127.0.0.1", 0)) as found:
        address = f"127.0.0.1:{found.getsockname()[1]}"  # nobody else is given it soon
    with ExitStack() as stack:
        server = stack.enter_context(
            served(
                folder / "data",
                functions=(WEB_FUNCTIONS,),
                pools={"io": POOLS["io"], POOL: big},
                hosts={"listen": address, **LEASE},
            )
        )
        there = ServedHosts(server, address, folder, stack)
        try:
            for name in names:
                there.start(name)
            for name in names:
                there.is_in(name, "attached")
            yield there
        finally:
            for process in there.processes.values():
                with suppress(ProcessLookupError):
                    process.send_signal(signal.SIGCONT)
                process.terminate()
