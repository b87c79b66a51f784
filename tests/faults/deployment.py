"""A data folder, and the `pooldeck serve` that runs on it: started, killed, started again."""

import os
import re
import secrets
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from pooldeck_server.domain.tasks.states import LIVE
from tests import FUNCTIONS, ROOT
from tests.faults import effects, processes
from tests.faults.effects import Effect
from tests.faults.processes import Family
from tests.support.no_tls import NO_TLS
from tests.support.serving import COMMAND
from tests.support.waiting import eventually

FAULTS = "fault_functions"
CONFIG = f"""
functions = ["{FAULTS}"]
grace_seconds = 0.5
hold_after = 0

[pools.io]
kind = "thread"
size = 4

[pools.cpu]
kind = "process"
size = 2
"""
WORKER_PATH = f"{FUNCTIONS}{os.pathsep}{ROOT}"
BOUND = 120.0  # seconds that anything may take


class Deployment:
    """One folder with all that a server keeps, over as many lives of the server as it takes.

    Args:
        folder: The folder.
        config: The text of its pooldeck.toml.
        starter: The command that starts the server's own, which follows as its arguments.
    """

    def __init__(self, folder: Path, config: str = CONFIG, starter: Sequence[str] = ()) -> None:
        self.folder = folder
        self._starter = starter
        self.logs: list[Path] = []  # one per life
        self.database = folder / "pooldeck-data" / "pooldeck.sqlite3"
        self.effect_log = folder / "effects"
        self.families: list[Family] = []
        self.url = ""
        self.process: subprocess.Popen[bytes]
        (folder / "pooldeck.toml").write_text(config)

    # Its lives.

    def start(self, **environment: str) -> None:
        """Start a server and wait until it takes submissions."""
        self.launch(**environment)
        eventually(self.is_ready, "the server is ready")
        self.families[-1].remember(self.process.pid)

    def launch(self, **environment: str) -> None:
        """Start a server and wait until it says where it is, or ends."""
        self.families.append(Family(secrets.token_hex(8)))
        self.logs.append(self.folder / f"server-{len(self.logs)}.log")
        with self.logs[-1].open("wb") as log:
            self.process = subprocess.Popen(
                [*self._starter, *COMMAND, "serve", "--port", "0"],
                cwd=self.folder,
                env=self.environment(self.families[-1].mark) | environment,
                stderr=log,
            )
        eventually(self._has_said_where, "the server listens")

    def environment(self, mark: str) -> dict[str, str]:
        """Return the environment of a server whose life has this mark."""
        inherited = {name: value for name, value in os.environ.items() if "POOLDECK" not in name}
        return inherited | {
            "PYTHONPATH": WORKER_PATH,
            effects.VARIABLE: str(self.effect_log),
            processes.VARIABLE: mark,
        }

    def _has_said_where(self) -> bool:
        if found := re.search(r"http://\S+\n", self.said):
            self.url = found[0].rstrip()
        return found is not None or self.has_ended

    def is_ready(self) -> bool:
        """Tell whether submissions are taken; a server that has ended never will be."""
        assert not self.has_ended, self.said[-2000:]
        try:
            return self.fetch("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    @property
    def has_ended(self) -> bool:
        """Tell whether the server has ended."""
        return self.process.poll() is not None

    def kill(self) -> None:
        """End the server as a power cut would, for its part."""
        self.families[-1].remember(self.process.pid)
        self.process.kill()
        self.process.wait()

    def clear(self) -> None:
        """End whatever is left of all its lives."""
        self.process.kill()
        self.process.wait()
        for family in self.families:
            family.end()

    def stop(self) -> int:
        """End the server in good order; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(BOUND)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop the server's clockwork while the body runs."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    # Looking at it.

    @property
    def said(self) -> str:
        """Return what the server of now, or of last, has written to its log."""
        return self.logs[-1].read_text()

    def fetch(self, path: str) -> httpx.Response:
        """Return what the server answers at `path`; on a busy machine its first page takes long."""
        return httpx.get(f"{self.url}{path}", timeout=BOUND, trust_env=False, verify=NO_TLS)

    def get(self, path: str) -> Any:
        """Return what the API has at `path`."""
        answer = self.fetch(f"/api/v1{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def when_quiet(self, seconds: float = BOUND) -> None:
        """Wait until every task is final."""
        live = "&".join(f"state={state}" for state in sorted(LIVE))

        def is_quiet() -> bool:
            return not self.get(f"/tasks?{live}&limit=1")["items"]

        eventually(is_quiet, "all tasks are final", seconds)

    def effects(self) -> list[Effect]:
        """Return what the functions have noted."""
        return effects.read(self.effect_log)

    def started(self, task: str) -> Effect | None:
        """Return the first start of `task`, if there is one."""
        return next((line for line in self.effects() if line.task == task), None)

    def when_started(self, task: str) -> Effect:
        """Wait for the first start of `task`, and return it."""
        eventually(lambda: self.started(task) is not None, f"task {task} starts")
        found = self.started(task)
        assert found is not None
        return found

    def worker(self, pool: str, pid: int) -> str:
        """Return the id of the worker of `pool` that has the process id `pid`."""
        workers = self.get(f"/pools/{pool}")["workers"]
        return next(str(worker["id"]) for worker in workers if worker["pid"] == pid)


@contextmanager
def deployed(
    folder: Path, config: str = CONFIG, *, starter: Sequence[str] = (), **environment: str
) -> Iterator[Deployment]:
    """Run a server on `folder`, and end whatever runs there at the end."""
    deployment = Deployment(folder, config, starter)
    try:
        deployment.start(**environment)
        yield deployment
        if not deployment.has_ended:
            deployment.stop()
    finally:
        deployment.clear()
