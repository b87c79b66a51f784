"""Rows 1 to 3: the server is killed, at any moment and at the worst ones."""

import os
import random
import signal
from pathlib import Path
from typing import get_args

import pytest

from pooldeck_server.failpoints import VARIABLE, FailPoint
from tests.faults.client import Client
from tests.faults.crowd import submitting
from tests.faults.deployment import CONFIG, Deployment, deployed
from tests.faults.oracle import violations
from tests.support.waiting import eventually

ELSEWHERE = {"in_deletion", "before_alert", "before_callback"}
"""This load reaches none of them; they have own tests."""

SEED = int(os.environ.get("POOLDECK_SEED", "20261122"))


@pytest.mark.timeout(300)
@pytest.mark.soak
def test_dying_at_each_step_of_a_commit_loses_nothing_and_runs_nothing_twice(
    tmp_path: Path,
) -> None:
    chance = random.Random(SEED)
    with deployed(tmp_path) as deployment, Client(deployment) as client:
        deployment.stop()
        for point in sorted(set(get_args(FailPoint)) - ELSEWHERE):
            for times in (1, chance.randint(2, 40)):
                _die_at(f"{point}:{times}", deployment, client, chance)
        _go_on(deployment, client)
        assert _in_the_end(deployment, client) == []


def _die_at(point: str, deployment: Deployment, client: Client, chance: random.Random) -> None:
    """Let a server live until it reaches `point`, while clients submit."""
    deployment.launch(**{VARIABLE: point})
    with submitting(deployment, client.ledger, chance):
        eventually(lambda: deployment.has_ended, f"the server dies at {point}")
    assert deployment.process.returncode == -signal.SIGKILL
    assert deployment.families[-1].left_in_the_end() == []


IN_FLIGHT = 8
CONFIG_OF_EIGHT = CONFIG.replace("size = 2", "size = 4")


@pytest.mark.soak  # and, without HTTP: runtime/lifecycle/test_runs.py
def test_after_kill_9_what_ran_is_lost_or_run_again_and_what_waited_runs(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with deployed(tmp_path, CONFIG_OF_EIGHT) as deployment, Client(deployment) as client:
        running = [
            client.submit(function, str(gate), pool=pool)["id"]
            for pool in ("cpu", "io")
            for function in ("wait_for", "wait_for_again") * 2
        ]
        for task in running:
            deployment.when_started(task)
        waiting = [
            client.submit("wait_for", str(gate), pool=pool)["id"] for pool in ("cpu", "io") * 50
        ]
        deployment.kill()
        gate.touch()
        _go_on(deployment, client)
        assert _in_the_end(deployment, client) == []

        lost, rerun = ([client.task(task) for task in running[first::2]] for first in (0, 1))
        assert {(task["state"], task["error"]["kind"]) for task in lost} == {
            ("lost", "interrupted")
        }
        assert {(task["state"], task["attempt"], task["result"]) for task in rerun} == {
            ("succeeded", 2, 2)
        }
        for task in waiting:
            assert (client.task(task)["state"], client.task(task)["attempt"]) == ("succeeded", 1)
        _check_report(deployment)


def test_after_kill_9_nothing_is_left_of_what_cannot_end_by_itself(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    with deployed(tmp_path) as deployment, Client(deployment) as client:
        for function, argument in (("leave_children", str(notes)), ("hold_gil", 600)):
            deployment.when_started(client.submit(function, argument, pool="cpu")["id"])
        eventually((notes / "fork").exists, "the children are there")
        deployment.kill()
        assert deployment.families[-1].left_in_the_end() == []


def _check_report(deployment: Deployment) -> None:
    """The log says what the second start found."""
    for words in ("100 queued", "4 lost", "4 run again"):
        assert words in deployment.said


def _go_on(deployment: Deployment, client: Client) -> None:
    """Start the server again; the clients ask for what they do not know."""
    assert deployment.families[-1].left_in_the_end() == []
    deployment.start()
    client.settle()


def _in_the_end(deployment: Deployment, client: Client) -> list[str]:
    deployment.when_quiet()
    return violations(deployment, client.ledger)
