"""Rows 4 and 15: the server is told to end, told so again, told so too early, or just held up."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.faults.client import Client
from tests.faults.deployment import CONFIG, Deployment, deployed
from tests.faults.oracle import violations
from tests.support.no_tls import NO_TLS
from tests.support.waiting import eventually

GRACE = 2.0
PATIENT = CONFIG.replace("grace_seconds = 0.5", f"grace_seconds = {GRACE}")
MARGIN = 2.0  # seconds beyond the grace period, as promised; tests allow twice that


@contextmanager
def followed(deployment: Deployment) -> Iterator[list[str]]:
    """Follow the live stream in a thread; it has to end by itself. Gives what came, in the end."""
    came: list[str] = []
    begun = threading.Event()

    def follow() -> None:
        with httpx.stream(
            "GET", f"{deployment.url}/api/v1/events", timeout=60, verify=NO_TLS
        ) as stream:
            for line in stream.iter_lines():
                came.append(line)
                begun.set()

    thread = threading.Thread(target=follow)
    thread.start()
    assert begun.wait(30)
    yield came
    thread.join(30)
    assert not thread.is_alive(), "the stream did not end"


def test_a_server_that_is_told_to_end_lets_short_tasks_end_and_records_long_ones(
    tmp_path: Path,
) -> None:
    with deployed(tmp_path, PATIENT) as deployment, Client(deployment) as client:
        short = client.submit("sleep", 0.8, pool="io")["id"]
        long = [
            client.submit("wait_for", str(tmp_path / "never"), pool=pool)["id"]
            for pool in ("io", "cpu")
        ]
        again = client.submit("wait_for_again", str(tmp_path / "gate"), pool="cpu")["id"]
        waiting = client.submit("add", 1, 2, pool="cpu")["id"]
        for task in (short, *long, again):
            deployment.when_started(task)
        with followed(deployment):
            deployment.families[-1].remember(deployment.process.pid)
            began = time.monotonic()
            assert deployment.stop() == 0
            assert time.monotonic() - began < GRACE + 2 * MARGIN + 6
        assert deployment.families[-1].left_in_the_end() == []

        (tmp_path / "gate").touch()
        deployment.start()
        deployment.when_quiet()
        assert violations(deployment, client.ledger) == []
        assert client.task(short)["state"] == "succeeded"
        for task in map(client.task, long):
            assert (task["state"], task["error"]["kind"]) == ("lost", "interrupted")
        assert (client.task(again)["state"], client.task(again)["result"]) == ("succeeded", 2)
        assert (client.task(waiting)["state"], client.task(waiting)["attempt"]) == ("succeeded", 1)


def test_a_server_that_ends_takes_nothing_more(tmp_path: Path) -> None:
    with deployed(tmp_path, PATIENT) as deployment, Client(deployment) as client:
        task = client.submit("wait_for", str(tmp_path / "never"))["id"]
        deployment.when_started(task)
        deployment.process.send_signal(signal.SIGTERM)
        codes = {answer.json()["code"] for answer in _answers_from_now_on(deployment, client)}
        assert codes <= {"draining"}
        assert deployment.process.wait(30) == 0
        assert client.ledger.complaints == []


def _answers_from_now_on(deployment: Deployment, client: Client) -> Iterator[httpx.Response]:
    """Submit until nobody answers any more; leave out what came before the signal was noticed."""
    until = time.monotonic() + GRACE + 2 * MARGIN + 6
    has_refused = False
    while time.monotonic() < until:
        try:
            answer = client.send(client.intend("add", 1, 2))
        except httpx.TransportError:
            return
        has_refused = has_refused or not answer.is_success
        if has_refused:
            yield answer
    assert deployment.has_ended, "the server answers on and on"


@pytest.mark.soak  # and, with one task: served/test_serve.py
def test_a_second_signal_does_not_wait_for_anybody(tmp_path: Path) -> None:
    patient = CONFIG.replace("grace_seconds = 0.5", "grace_seconds = 60")
    with deployed(tmp_path, patient) as deployment, Client(deployment) as client:
        tasks = [
            client.submit("wait_for", str(tmp_path / "never"), pool=pool)["id"]
            for pool in ("io", "cpu")
        ]
        for task in tasks:
            deployment.when_started(task)
        deployment.families[-1].remember(deployment.process.pid)
        deployment.process.send_signal(signal.SIGTERM)
        eventually(lambda: not deployment.is_ready(), "the signal is noticed")
        with pytest.raises(TimeoutError):
            _wait(deployment, 0.5)  # it is in no hurry yet
        deployment.process.send_signal(signal.SIGTERM)
        _wait(deployment, 2 * MARGIN + 3)
        assert deployment.families[-1].left_in_the_end() == []
        deployment.start()
        assert violations(deployment, client.ledger) == []
        for task in map(client.task, tasks):
            assert (task["state"], task["error"]["kind"]) == ("lost", "interrupted")


def _wait(deployment: Deployment, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not deployment.has_ended:
        if time.monotonic() > until:
            raise TimeoutError(f"the server has not ended after {seconds} s")
        time.sleep(0.02)


def test_a_signal_during_the_start_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(600)\n")
    config = CONFIG.replace('functions = ["', 'functions = ["slow", "')
    deployment = Deployment(tmp_path, config)
    deployment.launch()
    try:
        eventually(lambda: len(deployment.families[-1].left()) > 1, "a worker is being started")
        deployment.process.send_signal(signal.SIGTERM)
        _wait(deployment, 10)
        assert deployment.families[-1].left_in_the_end() == []
    finally:
        deployment.clear()


HASTY = CONFIG.replace("grace_seconds = 0.5", "grace_seconds = 0.5\nboot_seconds = 10")


@pytest.mark.parametrize("seconds", [12, pytest.param(30, marks=pytest.mark.soak)])
def test_a_server_that_is_held_up_declares_nothing_lost(tmp_path: Path, seconds: int) -> None:
    with deployed(tmp_path, HASTY) as deployment, Client(deployment) as client:
        during = [client.submit("sleep", 0.5, pool=pool)["id"] for pool in ("io", "cpu")]
        after = [client.submit("sleep", seconds + 2, pool=pool)["id"] for pool in ("io", "cpu")]
        for task in (*during, *after):
            deployment.when_started(task)
        with deployment.frozen():
            eventually(lambda: _have_ended(deployment, during), "the short ones end")
            time.sleep(seconds)  # longer than a worker may take to start
        for task in (*during, *after):
            assert client.task(task)["state"] == "succeeded"
        assert violations(deployment, client.ledger) == []
        assert {pool["state"] for pool in deployment.get("/pools")["items"]} == {"running"}


def _have_ended(deployment: Deployment, tasks: list[str]) -> bool:
    ended = {line.task for line in deployment.effects() if line.what == "end"}
    return ended.issuperset(tasks)


def test_a_worker_that_gets_ready_while_the_server_is_held_up_counts(tmp_path: Path) -> None:
    with deployed(tmp_path, HASTY) as deployment, Client(deployment) as client:
        crashed = client.submit("leave", 1, pool="cpu", wait=30)
        assert crashed["state"] == "failed"
        with deployment.frozen():
            time.sleep(12)  # longer than a worker may take to start
        results = [client.submit("add", n, n, pool="cpu", wait=30)["result"] for n in range(4)]
        assert results == [0, 2, 4, 6]
        health = deployment.get("/pools/cpu")
        assert (health["state"], health["incidents"]) == ("running", 1)
