"""The server is killed: what its workers have noted says what had begun, and what had ended."""

from contextlib import suppress
from pathlib import Path

import httpx
import msgspec
import pytest

from pooldeck.black_box import DamagedError, Manifest, read
from pooldeck_server.failpoints import VARIABLE
from pooldeck_server.runtime.lifecycle.boxes import BoxesOwner
from tests.faults.client import Client
from tests.faults.deployment import FAULTS, Deployment, deployed
from tests.faults.oracle import violations
from tests.support.waiting import eventually

QUICK = 40
LEARNT = 30  # runs after which the server knows how quick a function is


@pytest.mark.parametrize(("pool", "slots"), [("cpu", 2), ("io", 4)])
def test_what_was_claimed_ahead_and_has_not_begun_queues_again_after_kill_9(
    tmp_path: Path, pool: str, slots: int
) -> None:
    shut, opened = str(tmp_path / "shut"), tmp_path / "open"
    opened.touch()
    handed_out = f"after_handout:{2 * LEARNT + slots}"  # when the last of those that wait is
    with (
        deployed(tmp_path, **{VARIABLE: handed_out}) as deployment,
        Client(deployment) as client,
    ):
        for _ in range(LEARNT):
            client.submit("add", 1, 1, pool=pool, wait=30)
            client.submit("wait_for", str(opened), pool=pool, wait=30)
        waits = {"function": f"{FAULTS}.wait_for", "args": [shut], "pool": pool, "tags": ["long"]}
        adds = {"function": f"{FAULTS}.add", "args": [1, 1], "pool": pool, "tags": ["quick"]}
        with suppress(httpx.TransportError):  # it may be gone before it answers
            client.do("/tasks/batch", tasks=[waits] * slots + [adds] * QUICK)
        eventually(lambda: deployment.has_ended, "the server has died")
        deployment.start()

        found = deployment.get("/server")["last_start"]
        assert found["lost"] <= slots
        assert found["lost"] + found["not_begun"] > slots  # others were claimed behind them
        assert "of those handed out had not begun" in deployment.said
        Path(shut).touch()
        deployment.when_quiet()
        quick = deployment.get("/tasks?tag=quick&limit=100")["items"]
        assert len(quick) == QUICK
        assert {(task["state"], task["attempt"]) for task in quick} == {("succeeded", 1)}
        long = deployment.get("/tasks?tag=long")["items"]
        assert {task["state"] for task in long} <= {"succeeded", "lost"}
        assert [task["state"] for task in long].count("lost") == found["lost"]


def test_of_what_waits_behind_long_tasks_nothing_is_lost_by_kill_9(tmp_path: Path) -> None:
    with deployed(tmp_path) as deployment, Client(deployment) as client:
        for _ in range(LEARNT):
            client.submit("add", 1, 1, pool="cpu", wait=30)
        long = [client.submit("sleep", 600, pool="cpu")["id"] for _ in range(2)]
        for task in long:
            deployment.when_started(task)
        quick = [client.submit("add", n, n, pool="cpu")["id"] for n in range(QUICK)]
        deployment.kill()
        deployment.start()

        found = deployment.get("/server")["last_start"]
        assert (found["lost"], found["found"]) == (2, 0)
        for n, task in enumerate(quick):
            ended = client.task(task)
            assert (ended["state"], ended["attempt"], ended["result"]) == ("succeeded", 1, 2 * n)
        assert [client.task(task)["state"] for task in long] == ["lost", "lost"]
        client.settle()
        deployment.when_quiet()
        assert violations(deployment, client.ledger) == []


@pytest.mark.parametrize("pool", ["cpu", "io"])
def test_an_end_that_the_server_did_not_live_to_see_is_found(tmp_path: Path, pool: str) -> None:
    gate = tmp_path / "gate"
    with deployed(tmp_path) as deployment, Client(deployment) as client:
        task = client.submit("say_when", str(gate), pool=pool)["id"]
        pid = deployment.when_started(task).pid
        worker = deployment.worker(pool, pid)
        with deployment.frozen():
            gate.touch()
            eventually(lambda: _has_ended(deployment, worker, task), "its end stands in the box")
            deployment.kill()
        deployment.start()

        found = deployment.get("/server")["last_start"]
        assert (found["lost"], found["not_begun"], found["found"]) == (0, 0, 1)
        ended = client.task(task)
        assert (ended["state"], ended["attempt"], ended["result"]) == ("succeeded", 1, str(gate))
        assert (ended["worker"]["id"], ended["worker"]["pid"]) == (worker, pid)
        assert 0 < ended["timing"]["run"] < 600
        log = [line["message"] for line in deployment.get(f"/tasks/{task}/logs")["items"]]
        assert log == ["it waits", "it went"]
        deployment.stop()
        assert [*(deployment.database.parent / "workers").iterdir()] == []  # all is on record


def _has_ended(deployment: Deployment, worker: str, task: str) -> bool:
    folder = deployment.database.parent / "workers"
    owner = msgspec.json.decode(Manifest(folder).head(), type=BoxesOwner)
    try:
        box = read(folder / f"{worker}.box", worker, owner.mark)
    except DamagedError:  # it is just being written
        return False
    call = box.calls.get((task, 1))
    return call is not None and call.end is not None
