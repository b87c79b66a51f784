"""Rows 1, 5 and 6 together: SIGKILL for the server, for workers, for both, under a mixed load.

The load has quick tasks and long ones, threads and processes, retries and pipelines. A round takes
it up where the last one left it, so that what was found at one start is found again at the next.
"""

import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.faults.client import Client
from tests.faults.crowd import submitting
from tests.faults.deployment import Deployment, deployed
from tests.faults.oracle import violations
from tests.faults.picture import listed
from tests.faults.test_killed_pipelines import CONFIG_OF_PIPELINES, STEPS
from tests.support.waiting import eventually

MANY_ROUNDS = int(os.environ.get("POOLDECK_ROUNDS", "50"))
ROUNDS_TOGETHER = 25
SEED = int(os.environ.get("POOLDECK_SEED", "20261130"))
STRETCHES = [
    (SEED + first, min(ROUNDS_TOGETHER, MANY_ROUNDS - first))
    for first in range(0, MANY_ROUNDS, ROUNDS_TOGETHER)
]
"""A seed and the number of rounds for one database each."""

POOLS = ("cpu", "io")


@dataclass(frozen=True)
class Scene:
    """A server under load, and the workers that were killed: alone, or together with it."""

    deployment: Deployment
    client: Client
    chance: random.Random
    alone: set[int] = field(default_factory=set)
    with_server: set[int] = field(default_factory=set)

    def submit_long(self) -> None:
        """Submit tasks that are likely to be cut off, and a pipeline."""
        for function in ("sleep", "sleep_again"):
            seconds = round(self.chance.uniform(0.2, 1), 2)
            pool = self.chance.choice(POOLS)
            self.client.send(self.client.intend(function, seconds, pool=pool))
        self.client.do("/pipelines", tasks=STEPS)

    def kill_workers(self, killed: set[int]) -> None:
        """Kill one or two workers, and note them in `killed`."""
        pools = self.deployment.get("/pools")["items"]
        workers = [worker for pool in pools for worker in pool["workers"]]
        pids = [each["pid"] for each in workers if each["state"] in {"idle", "busy"}]
        for pid in self.chance.sample(pids, min(len(pids), self.chance.randint(1, 2))):
            killed.add(pid)
            os.kill(pid, signal.SIGKILL)

    def kill_server(self) -> None:
        self.deployment.kill()
        assert self.deployment.families[-1].left_in_the_end() == []
        self.deployment.start()

    def when_told(self) -> None:
        """Wait until each death that the server has seen is an incident."""

        def are_told() -> bool:
            return self.alone <= {each["pid"] for each in listed(self.deployment, "/incidents")}

        eventually(are_told, "the deaths of workers are incidents")


def workers(scene: Scene) -> None:
    scene.kill_workers(scene.alone)
    scene.when_told()


def server(scene: Scene) -> None:
    scene.kill_server()


def both(scene: Scene) -> None:
    scene.kill_workers(scene.with_server)
    time.sleep(scene.chance.choice([0, scene.chance.uniform(0, 0.05)]))
    scene.kill_server()


KILLS: tuple[Callable[[Scene], None], ...] = (workers, server, both)


@pytest.mark.timeout(120 + 30 * ROUNDS_TOGETHER)
@pytest.mark.parametrize(
    ("seed", "rounds"),
    [(SEED, 3), *(pytest.param(*each, marks=pytest.mark.soak) for each in STRETCHES)],
)
def test_kill_9_of_server_and_workers_costs_only_what_was_running(
    tmp_path: Path, seed: int, rounds: int
) -> None:
    chance = random.Random(seed)
    with deployed(tmp_path, CONFIG_OF_PIPELINES) as deployment, Client(deployment) as client:
        scene = Scene(deployment, client, chance)
        for number in range(rounds):
            scene.submit_long()
            with submitting(deployment, client.ledger, chance, each=40):
                time.sleep(chance.uniform(0, 0.5))  # the fault comes at any moment
                KILLS[number % len(KILLS)](scene)
            client.settle()
        deployment.when_quiet()
        found = violations(
            deployment, client.ledger, killed=scene.alone, killed_with_it=scene.with_server
        )
        assert found == []
