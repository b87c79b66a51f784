"""The server that is fuzzed: with a token, short deadlines, and something of everything in it."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from tests import FUNCTIONS
from tests.fuzz.sending import Reply, Request, ask
from tests.support.no_tls import NO_TLS
from tests.support.programs import started
from tests.support.serving import COMMAND
from tests.support.waiting import eventually

TOKEN: Final = "a-token-of-the-fuzz-long-enough"
BEARER: Final = f"Bearer {TOKEN}"
FUNCTION: Final = "web_functions.add"
SECONDS: Final = 1  # that a head may take, and a body after it
_CONFIG: Final = f"""
functions = ["web_functions"]
hold_after = 0

[pools.cpu]
kind = "process"
size = 1
spare = 0

[pools.io]
kind = "thread"
size = 2

[pools.solo]
kind = "process"
size = 1
spare = 0

[limits]
header_seconds = {SECONDS}
body_seconds = {SECONDS}
"""

_NAMED: Final[dict[str, dict[str, Any]]] = {
    "viewer": {"role": "viewer", "values": False},
    "operator": {"role": "operator"},
    "limited": {"role": "operator", "functions": [FUNCTION]},
    "admin": {"role": "admin"},
}


@dataclass(frozen=True)
class Target:
    """A server that runs; `known` has names of what is in it, by the part of the path before it."""

    port: int
    pid: int
    log: Path
    http: httpx.Client
    known: dict[str, list[str]] = field(default_factory=dict)
    bearers: dict[str, str] = field(default_factory=dict)  # those of named tokens, by name
    journal: list[tuple[float, str]] = field(default_factory=list)

    def ask(self, request: Request) -> Reply:
        """Send a request; raises as `sending.ask`."""
        self.note(str(request))
        return ask(self.port, request)

    def note(self, request: str) -> None:
        """Note that something is about to be sent."""
        self.journal.append((time.monotonic(), request))

    def sent_before(self, moment: float) -> str:
        """Return what was sent last before a moment (`time.monotonic()`)."""
        return [request for began, request in self.journal if began < moment][-1]

    def serves(self) -> bool:
        """Tell whether a task can still be run."""
        body = {"function": FUNCTION, "args": [1], "pool": "solo"}
        answer = self.http.post("/api/v1/tasks", params={"wait": 60}, json=body)
        return answer.status_code == httpx.codes.OK and answer.json()["state"] == "succeeded"

    def tracebacks(self) -> list[str]:
        """Return the last lines of what the server has logged as its own defects."""
        logged = re.split(r"^(?=\d{4}-)", self.log.read_text(errors="replace"), flags=re.MULTILINE)
        return [entry[-500:] for entry in logged if "Traceback (most recent call last)" in entry]


@contextmanager
def fuzzed(folder: Path) -> Iterator[Target]:
    """Run a server in `folder` while the body runs."""
    (folder / "pooldeck.toml").write_text(_CONFIG)
    environment = {name: value for name, value in os.environ.items() if "POOLDECK" not in name}
    environment |= {"PYTHONPATH": str(FUNCTIONS), "POOLDECK_TOKEN": TOKEN}
    log = folder / "log"
    command = [*COMMAND, "serve", "--port", "0"]
    with (
        log.open("wb") as said,
        started(command, cwd=folder, env=environment, stderr=said) as process,
    ):
        eventually(lambda: bool(_address(log)) or process.poll() is not None, "it listens")
        address = _address(log)
        assert address, log.read_text()
        headers = {"Authorization": BEARER}
        with httpx.Client(
            base_url=address, headers=headers, timeout=90, trust_env=False, verify=NO_TLS
        ) as http:
            eventually(lambda: http.get("/readyz").status_code == httpx.codes.OK, "it is ready")
            target = Target(int(address.rpartition(":")[2]), process.pid, log, http)
            _fill(target)
            _let_in(target)
            yield target


def _let_in(target: Target) -> None:
    """Make a token of each role, and one that is limited."""
    for name, more in _NAMED.items():
        made = target.http.post("/api/v1/tokens", json={"name": name, **more})
        assert made.status_code == httpx.codes.CREATED, made.text
        target.bearers[name] = f"Bearer {made.json()['secret']}"


def _address(log: Path) -> str:
    found = re.search(r"is at (http://\S+)", log.read_text(errors="replace"))
    return found[1] if found else ""


def _fill(target: Target) -> None:
    """Leave something of everything there, with names that can be asked for."""
    run = [_submit(target, name, *arguments) for name, *arguments in _TASKS]
    steps = {"a": {"function": FUNCTION, "args": [1]}, "b": {"function": FUNCTION, "args": [2]}}
    pipeline = target.http.post("/api/v1/pipelines", json={"name": "p", "tasks": steps}).json()
    workers = [worker for pool in _items(target, "pools") for worker in pool["workers"]]
    target.known.update(
        tasks=run,
        functions=[FUNCTION, "web_functions.log_in"],
        pools=["io"],  # what is done to it does not end what is run in the end
        workers=[worker["id"] for worker in workers if worker["id"].startswith("io")],
        pipelines=[pipeline["id"]],
        errors=[group["id"] for group in _items(target, "errors")],
        incidents=[incident["id"] for incident in _items(target, "incidents")],
        static=["css/page.css"],
    )


_TASKS: Final[list[tuple[Any, ...]]] = [
    ("add", 1),
    ("fail", "on purpose"),
    ("chatter", 100),
    ("log_in", "somebody", "a secret"),
    ("die", 9),
]


def _submit(target: Target, name: str, *arguments: object) -> str:
    body = {"function": f"web_functions.{name}", "args": arguments}
    task: str = target.http.post("/api/v1/tasks", params={"wait": 60}, json=body).json()["id"]
    return task


def _items(target: Target, what: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = target.http.get(f"/api/v1/{what}").json()["items"]
    return items
