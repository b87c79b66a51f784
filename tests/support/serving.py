"""A real `pooldeck serve` in a process of its own, as people start it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.support.no_tls import NO_TLS
from tests.support.programs import started
from tests.support.waiting import eventually

COMMAND = (str(Path(sys.executable).with_name("pooldeck")),)


class Serving:
    """A server that runs; `said` is what it has written so far, line by line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.said: list[str] = []
        self.client = httpx.Client(
            base_url=self._address(), timeout=90, trust_env=False, verify=NO_TLS
        )

    def _address(self) -> str:
        """Read on until the server says where it is."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            if found := re.search(r"http://[^\s\"]+", line):
                return found[0]
        raise AssertionError("the server ended:\n" + "".join(self.said))

    def wait_until_ready(self) -> None:
        """Return as soon as tasks are taken, and all is loaded that requests need."""
        eventually(lambda: self.client.get("/readyz").status_code == 200, "the server is ready")
        self.client.get("/login")  # open to everybody

    def run(self, function: str, *args: object) -> dict[str, Any]:
        """Submit a task and return it when it has ended."""
        answer = self.client.post(
            "/api/v1/tasks", params={"wait": 60}, json={"function": function, "args": args}
        )
        assert answer.status_code == 200, answer.text
        task: dict[str, Any] = answer.json()
        return task

    def stop(self) -> int:
        """End the server in good order and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Return the exit code of a server that was told to end."""
        self.client.close()
        _, rest = self.process.communicate(timeout=60)
        self.said += (rest or "").splitlines(keepends=True)
        return self.process.returncode


@contextmanager
def serving(
    folder: Path,
    *options: str,
    command: Sequence[str] = COMMAND,
    environment: dict[str, str] | None = None,
) -> Iterator[Serving]:
    """Serve on a free port of this machine, with `folder` as the working directory."""
    inherited = {name: value for name, value in os.environ.items() if "POOLDECK" not in name}
    with started(
        [*command, "serve", "--port", "0", *options],
        cwd=folder,
        env=inherited | (environment or {}),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        server = Serving(process)
        yield server
        if process.returncode is None:
            server.stop()
