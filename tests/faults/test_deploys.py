"""A service under load through deploys and restarts, as a service manager does them: no task pays.

Clients submit 50 tasks a second through both kinds of pool. Signals go to every process of the
service at once, as systemd sends them unless it is told otherwise.
"""

import itertools
import os
import secrets
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import Self

import httpx
import psutil
import pytest

from tests.faults.deployment import BOUND, Deployment, deployed
from tests.support.no_tls import NO_TLS, PATIENCE
from tests.support.waiting import eventually

pytestmark = pytest.mark.soak

RATE = 50  # tasks a second
CONFIG = """
functions = ["shop", "bad"]
grace_seconds = 10

[pools.io]
kind = "thread"
size = 4

[pools.cpu]
kind = "process"
size = 2
"""
SHOP = """
import time
from pooldeck import task

@task(pool="cpu")
def charge(n):
    time.sleep(0.01)
    return [n, {version}]

@task(pool="io")
def notify(n):
    time.sleep(0.05)
    return [n, {version}]

@task(pool="cpu")
def new_in_{version}():
    return {version}
"""


class Load:
    """A client that submits at a steady pace, and never gives up on what it has sent."""

    def __init__(self, deployment: Deployment) -> None:
        self.taken: dict[str, int] = {}  # the number of each task, by its id
        self.refused: Counter[str] = Counter()
        self._deployment = deployment
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def goes_on(self) -> None:
        """Return when a second's tasks have been taken from now on."""
        seen = len(self.taken)
        eventually(lambda: len(self.taken) >= seen + RATE, "it is under load")

    def _run(self) -> None:
        began = time.monotonic()
        with httpx.Client(timeout=BOUND, trust_env=False, verify=NO_TLS) as http:
            for n in itertools.count():
                if self._is_over.wait(max(0.0, began + n / RATE - time.monotonic())):
                    return
                self._submit(http, n)

    def _submit(self, http: httpx.Client, n: int) -> None:
        body = {"function": "shop.charge" if n % 2 else "shop.notify", "args": [n]}
        key = {"Idempotency-Key": secrets.token_hex(8)}
        until = time.monotonic() + BOUND
        while time.monotonic() < until:
            with suppress(httpx.TransportError):
                answer = http.post(f"{self._deployment.url}/api/v1/tasks", json=body, headers=key)
                if answer.is_success:
                    self.taken[answer.json()["id"]] = n
                    return
                self.refused[answer.json()["code"]] += 1
            time.sleep(0.05)
        self.refused["given up"] += 1


def write(code: Path, version: int) -> None:
    new = code / "shop.new"
    new.write_text(SHOP.format(version=version))
    new.replace(code / "shop.py")


def test_no_task_pays_for_deploys_or_restarts_of_the_service(tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "bad.py").write_text("import a_package_that_nobody_has\n")
    write(code, 0)
    environment = {"PYTHONPATH": str(code), "PYTHONDONTWRITEBYTECODE": "1"}
    with deployed(tmp_path, CONFIG, **environment) as deployment, Load(deployment) as load:
        for version in (1, 2, 3):
            load.goes_on()
            write(code, version)
            deploy(deployment)
            assert call(deployment, f"shop.new_in_{version}")["result"] == version
        assert load.refused == Counter(), "no deploy refuses anything"
        refusal = submit(deployment, "bad.anything")
        assert (refusal.status_code, refusal.json()["code"]) == (503, "function_unavailable")
        for _ in range(3):
            load.goes_on()
            signal_all(deployment.process.pid, signal.SIGTERM)
            assert deployment.process.wait(BOUND) == 0, deployment.said
            deployment.start(**environment)
        load.goes_on()
    # The deployment has stopped in order; what it has kept is read by one more life of it.
    with deployed(tmp_path, CONFIG, **environment) as deployment:
        deployment.when_quiet()
        assert load.refused.keys() <= {"draining", "starting"}
        assert states(deployment, load.taken) == {"succeeded": len(load.taken)}
        assert deployment.get("/incidents")["items"] == []


def states(deployment: Deployment, tasks: Iterable[str]) -> Counter[str]:
    with closing(sqlite3.connect(deployment.database)) as database:
        found = dict(database.execute("SELECT id, state FROM tasks"))
    return Counter(found[task] for task in tasks)


def deploy(deployment: Deployment) -> None:
    """Restart both pools one by one, and return when all workers are new."""
    before = workers(deployment)
    for pool in ("cpu", "io"):
        path = f"{deployment.url}/api/v1/pools/{pool}/restart"
        assert httpx.post(path, trust_env=False, timeout=PATIENCE, verify=NO_TLS).is_success
    eventually(lambda: not before & workers(deployment), "all workers are new")


def workers(deployment: Deployment) -> set[str]:
    pools = deployment.get("/pools")["items"]
    return {worker["id"] for pool in pools for worker in pool["workers"]}


def submit(deployment: Deployment, function: str) -> httpx.Response:
    url = f"{deployment.url}/api/v1/tasks?wait=30"
    return httpx.post(
        url, json={"function": function}, timeout=BOUND, trust_env=False, verify=NO_TLS
    )


def call(deployment: Deployment, function: str) -> dict[str, object]:
    """Call a function and return its task when it has ended."""
    answer = submit(deployment, function)
    assert answer.status_code == 200, answer.text
    task: dict[str, object] = answer.json()
    return task


def signal_all(server: int, number: signal.Signals) -> None:
    """Send a signal to a service as a whole: to the server and to all that came of it."""
    processes = [psutil.Process(server), *psutil.Process(server).children(recursive=True)]
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)
