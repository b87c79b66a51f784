"""A server that dies while results are handed on: nothing of a pipeline is lost or doubled."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pooldeck_server.failpoints import VARIABLE
from tests.faults.client import Client
from tests.faults.deployment import BOUND, CONFIG, Deployment, deployed
from tests.support.waiting import eventually

MODULE = "pipeline_faults"
CONFIG_OF_PIPELINES = CONFIG.replace('functions = ["', f'functions = ["{MODULE}", "')
ITEMS = 6
PIPELINES = 10  # which take more commits than the last one that a server dies at
MANY_COMMITS = int(os.environ.get("POOLDECK_COMMITS", "6"))  # after each of which one server dies
MANY_ROUNDS = int(os.environ.get("POOLDECK_ROUNDS", "6"))
SEED = int(os.environ.get("POOLDECK_SEED", "20261122"))

STEPS = {
    "list": {"function": f"{MODULE}.numbers", "args": [ITEMS], "pool": "io"},
    "each": {
        "function": f"{MODULE}.twice",
        "args": [{"$item": True}],
        "each": {"$result": "list"},
        "pool": "cpu",
    },
    "join": {"function": f"{MODULE}.total", "args": [{"$result": "each"}], "pool": "io"},
}


@pytest.mark.timeout(120 + 60 * MANY_COMMITS)
@pytest.mark.soak
def test_dying_around_each_commit_of_a_pipeline_loses_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    with deployed(tmp_path, CONFIG_OF_PIPELINES) as deployment, Client(deployment) as client:
        deployment.stop()
        pipelines = []
        for commit in range(1, MANY_COMMITS + 1):
            point = ("before_commit", "after_commit")[commit % 2]
            deployment.launch(**{VARIABLE: f"{point}:{7 + commit}"})  # its start takes seven or so
            pipelines += _submitted_until_it_ends(deployment, client)
            assert deployment.process.returncode == -signal.SIGKILL
            deployment.start()
            deployment.when_quiet(BOUND)  # what crashes too often is lost, and rightly so
            deployment.stop()
        deployment.start()
        assert pipelines
        assert list(_wrong(deployment, client, pipelines)) == []


@pytest.mark.timeout(120 + 60 * MANY_ROUNDS)
@pytest.mark.parametrize("rounds", [1, pytest.param(MANY_ROUNDS, marks=pytest.mark.soak)])
def test_kill_9_at_any_moment_loses_and_doubles_nothing(tmp_path: Path, rounds: int) -> None:
    chance = random.Random(SEED)
    with deployed(tmp_path, CONFIG_OF_PIPELINES) as deployment, Client(deployment) as client:
        pipelines = []
        for _ in range(rounds):
            pipelines += [_submit(client) for _ in range(5)]
            time.sleep(chance.uniform(0, 0.1))  # the fault comes at any moment
            deployment.kill()
            deployment.start()
        assert list(_wrong(deployment, client, pipelines)) == []


def _submitted_until_it_ends(deployment: Deployment, client: Client) -> list[str]:
    """Submit pipelines until the server dies; return those that it acknowledged."""
    taken: list[str] = []

    def dies() -> bool:
        try:
            if len(taken) < PIPELINES and not deployment.has_ended and deployment.is_ready():
                taken.append(_submit(client))
        except (httpx.TransportError, AssertionError):
            return deployment.has_ended
        return deployment.has_ended

    eventually(dies, "the server dies")
    return taken


def _submit(client: Client) -> str:
    return str(client.do("/pipelines", tasks=STEPS)["id"])


def _wrong(deployment: Deployment, client: Client, pipelines: list[str]) -> Iterator[str]:
    """Yield what does not hold of pipelines that should have run to their ends."""
    deployment.when_quiet(BOUND)
    starts = Counter((effect.task, effect.attempt) for effect in _starts(deployment))
    for attempt, times in starts.items():
        if times > 1:
            yield f"{attempt} started {times} times"
    for pipeline in pipelines:
        found: Any = client.call("GET", f"/pipelines/{pipeline}").json()
        counts = {step["name"]: step["counts"] for step in found["steps"]}
        if counts != {"list": _all(1), "each": _all(ITEMS), "join": _all(1)}:
            yield f"pipeline {pipeline} became {counts}"
            continue
        joined = client.task(found["steps"][-1]["task"])
        if (joined["args"], joined["result"]) != ([[2, 4, 6, 8, 10, 12]], 42):
            yield f"{joined['args']} were joined to {joined['result']}"


def _all(number: int) -> dict[str, int]:
    return {"succeeded": number}


def _starts(deployment: Deployment) -> Iterator[Any]:
    return (effect for effect in deployment.effects() if effect.what == "start")
