"""A real Dask cluster on loopback: a scheduler, and workers with nannies, each a program."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

_SCHEDULER = (sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard")
_WORKER = (sys.executable, "-m", "distributed.cli.dask_worker", "--no-dashboard", "--nanny")
_SET = {
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__INTERVAL": "5s",
}


class Cluster:
    """A scheduler and its workers, by name; whatever of it is left ends with the block."""

    def __init__(self, folder: Path, environment: Mapping[str, str], tls: Sequence[str]) -> None:
        self._folder = folder
        self._environment = {**os.environ, **_SET, **environment}
        self._tls = tls
        self._port = 0
        self._scheduler: subprocess.Popen[Any]
        self.nannies: dict[str, subprocess.Popen[Any]] = {}
        self._programs: list[subprocess.Popen[Any]] = []

    @property
    def address(self) -> str:
        return f"{'tls' if self._tls else 'tcp'}://127.0.0.1:{self._port}"

    @property
    def scheduler(self) -> int:
        return self._scheduler.pid

    @property
    def has_scheduler(self) -> bool:
        """Tell whether the scheduler runs."""
        return self._scheduler.poll() is None

    def start_scheduler(self) -> None:
        """Start a scheduler; another one has the address of the first."""
        file = self._folder / "scheduler.json"
        file.unlink(missing_ok=True)
        options = ("--host", "127.0.0.1", "--port", str(self._port), "--scheduler-file", str(file))
        self._scheduler = self._start("scheduler", [*_SCHEDULER, *options, *self._tls])
        while not file.exists() or not (text := file.read_text()):
            assert self._scheduler.poll() is None, self.log("scheduler")
            time.sleep(0.02)
        self._port = int(json.loads(text)["address"].rpartition(":")[2])

    def start_worker(self, name: str, **environment: str) -> None:
        options = (
            "--name",
            name,
            "--nthreads",
            "1",
            "--host",
            "127.0.0.1",
            "--death-timeout",
            "60",
        )
        preload = ("--preload", "pooldeck.engines.dask_host")
        command = [*_WORKER, self.address, *options, *preload, *self._tls]
        command += ["--local-directory", str(self._folder / name)]
        self.nannies[name] = self._start(name, command, **environment)

    def worker_of(self, name: str) -> int:
        """Return the process id of the Dask worker that a nanny has now; 0 if it has none."""
        for child in psutil.Process(self.nannies[name].pid).children():
            if any("spawn_main" in part for part in child.cmdline()):
                return child.pid
        return 0

    def log(self, name: str) -> str:
        return (self._folder / f"{name}.log").read_text(errors="replace")

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)

    def _start(
        self, name: str, command: Sequence[str], **environment: str
    ) -> "subprocess.Popen[Any]":
        self.forget_gone()
        set_ = {**self._environment, **environment}
        with (self._folder / f"{name}.log").open("ab") as log:
            program = subprocess.Popen(
                command, stdout=log, stderr=log, env=set_, start_new_session=True
            )
        self._programs.append(program)
        return program

    def forget_gone(self) -> None:
        """Forget programs of which nothing is left: others may be given their ids."""
        self._programs = [each for each in self._programs if _is_there(each)]

    def end(self) -> None:
        """End all of it."""
        self.forget_gone()
        for program in self._programs:
            with suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
            program.wait()


def _is_there(program: "subprocess.Popen[Any]") -> bool:
    """Tell whether a program runs, or anything that it has started."""
    if program.poll() is None:
        return True
    with suppress(ProcessLookupError):
        os.killpg(program.pid, 0)
        return True
    return False


@contextmanager
def cluster(
    folder: Path,
    workers: Sequence[str] = (),
    *,
    environment: Mapping[str, str] | None = None,
    tls: Sequence[str] = (),
) -> Iterator[Cluster]:
    """Run a scheduler and workers of these names for the time of the block."""
    found = Cluster(folder, environment or {}, tls)
    try:
        found.start_scheduler()
        for name in workers:
            found.start_worker(name)
        yield found
    finally:
        found.end()
