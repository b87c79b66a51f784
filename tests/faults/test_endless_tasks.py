"""Rows 7 and 8: tasks that never end, that hold the GIL, and that wait for each other."""

from functools import partial
from pathlib import Path
from random import Random

import psutil
import pytest

from tests.faults.client import Client
from tests.faults.conftest import Standing
from tests.faults.deployment import CONFIG, FAULTS, deployed
from tests.faults.visitor import visited
from tests.support.waiting import eventually

TIMEOUT = 0.6
MOST_SECONDS = 10.0  # from its start to its end; wanted: a second after the timeout
ENDLESS = [("spin", ()), ("sleep", (600,)), ("hold_gil", (600,)), ("match", ())]


@pytest.mark.parametrize(("function", "args"), ENDLESS)
def test_in_a_process_pool_a_task_is_killed_at_its_timeout(
    standing: Standing, function: str, args: tuple[object, ...]
) -> None:
    task = standing.client.submit(function, *args, pool="cpu", timeout=TIMEOUT, wait=30)
    assert (task["state"], task["error"]["kind"]) == ("failed", "timeout")
    assert TIMEOUT <= task["timing"]["run"] < MOST_SECONDS
    pid = standing.deployment.when_started(task["id"]).pid
    eventually(lambda: not psutil.pid_exists(pid), "its worker is gone")
    assert pid not in _pids_of_incidents(standing)
    assert standing.client.submit("add", 1, 2, pool="cpu", wait=30)["result"] == 3


def _pids_of_incidents(standing: Standing) -> set[int]:
    return {each["pid"] for each in standing.deployment.get("/incidents?limit=50")["items"]}


@pytest.mark.parametrize(("function", "args"), ENDLESS[:2])
def test_in_a_thread_pool_a_task_is_abandoned_at_its_timeout_and_its_slot_replaced(
    standing: Standing, tmp_path: Path, function: str, args: tuple[object, ...]
) -> None:
    neighbour, begun = _neighbour(standing, tmp_path / "gate")
    task = standing.client.submit(function, *args, pool="io", timeout=TIMEOUT, wait=30)
    assert (task["state"], task["error"]["kind"]) == ("failed", "timeout")
    assert TIMEOUT <= task["timing"]["run"] < MOST_SECONDS
    assert task["id"] in _abandoned(standing)
    others = [
        standing.client.submit("wait_for", str(tmp_path / "gate"), pool="io")["id"]
        for _ in range(3)
    ]
    for other in others:  # with the neighbour, as many as the pool has slots
        standing.deployment.when_started(other)
    (tmp_path / "gate").touch()
    for other in (neighbour, *others):
        assert standing.client.task(other)["state"] == "succeeded"
    assert standing.client.task(neighbour)["worker"]["pid"] == begun


def test_calls_that_have_never_ended_are_seen_and_all_pages_answer(tmp_path: Path) -> None:
    with deployed(tmp_path) as deployment, Client(deployment) as client:
        for _ in range(2):  # of a function of which nothing else is known
            client.submit("spin", pool="io")
        advice = f"/functions/{FAULTS}.spin/advice"
        eventually(lambda: deployment.get(advice)["evidence"]["looks"] > 0, "they are looked at")
        assert deployment.get(advice)["evidence"]["runs"] == 0
        assert visited(deployment, Random(0), most=15) == []
        assert deployment.stop() == 0


def _neighbour(standing: Standing, gate: Path) -> tuple[str, int]:
    task = standing.client.submit("wait_for", str(gate), pool="io")["id"]
    return task, standing.deployment.when_started(task).pid


def _is_settled(standing: Standing) -> bool:
    """Tell whether the pool has its one worker, so that tasks run beside each other in it."""
    workers = standing.deployment.get("/pools/io")["workers"]
    return len(workers) == 1 and workers[0]["state"] in {"idle", "busy"}


def _abandoned(standing: Standing) -> set[str]:
    workers = standing.deployment.get("/pools/io")["workers"]
    slots = [slot for worker in workers for slot in worker["slots"]]
    return {slot["task"] for slot in slots if slot["abandoned"]}


@pytest.mark.parametrize(("function", "args"), ENDLESS[2:])
def test_a_thread_worker_whose_gil_is_held_past_a_deadline_is_replaced_as_a_whole(
    standing: Standing, tmp_path: Path, function: str, args: tuple[object, ...]
) -> None:
    eventually(partial(_is_settled, standing), "no worker of the pool is being replaced")
    neighbour, pid = _neighbour(standing, tmp_path / "never")
    task = standing.client.submit(function, *args, pool="io", timeout=TIMEOUT, wait=30)
    assert (task["state"], task["error"]["kind"]) == ("failed", "timeout")
    assert task["timing"]["run"] < MOST_SECONDS + 2
    beside = standing.client.task(neighbour)
    assert (beside["state"], beside["error"]["kind"]) == ("lost", "bystander")
    eventually(lambda: not psutil.pid_exists(pid), "the worker is gone")
    assert standing.client.submit("add", 1, 2, pool="io", wait=30)["result"] == 3


@pytest.mark.parametrize("pool", ["cpu", "io"])
def test_holding_the_gil_is_no_crime_in_itself(standing: Standing, pool: str) -> None:
    holder = standing.client.submit("hold_gil", 3, pool=pool)["id"]
    beside = standing.client.submit("sleep", 0.1, pool=pool, timeout=20)["id"]
    pids = {standing.deployment.when_started(task).pid for task in (holder, beside)}
    for task in (holder, beside):
        assert standing.client.task(task)["state"] == "succeeded"
    workers = standing.deployment.get(f"/pools/{pool}")["workers"]
    assert pids <= {worker["pid"] for worker in workers}


@pytest.mark.parametrize("pool", ["cpu", "io"])
def test_a_task_that_is_asked_to_stop_can_end_by_itself(standing: Standing, pool: str) -> None:
    task = standing.client.submit("obey", pool=pool)["id"]
    pid = standing.deployment.when_started(task).pid
    assert standing.client.do(f"/tasks/{task}/cancel")["outcome"] == "cancel_requested"
    assert standing.client.task(task)["result"] == "as you wish"
    workers = standing.deployment.get(f"/pools/{pool}")["workers"]
    assert pid in {worker["pid"] for worker in workers}


@pytest.mark.parametrize("pool", ["cpu", "io"])
def test_a_failing_task_is_tried_again_as_often_as_it_may(standing: Standing, pool: str) -> None:
    saved = standing.client.submit("fail_until", 3, pool=pool, wait=30)
    assert (saved["state"], saved["attempt"], saved["result"]) == ("succeeded", 3, 3)
    lost = standing.client.submit("fail_until", 9, pool=pool, wait=30)
    assert (lost["state"], lost["attempt"], lost["error"]["kind"]) == ("failed", 3, "exception")


def test_tasks_that_wait_for_their_own_full_pool_are_named(tmp_path: Path) -> None:
    with deployed(tmp_path, CONFIG) as deployment, Client(deployment) as client:
        go = tmp_path / "go"
        tasks = [client.submit("nest", deployment.url, str(go), pool="cpu")["id"] for _ in range(2)]
        victim, other = tasks
        for task in tasks:
            deployment.when_started(task)
        go.touch()
        eventually(partial(_is_named, client), "the starvation is named", seconds=30)
        assert client.do(f"/tasks/{victim}/cancel", kill=True)["outcome"] == "killed"
        deployment.when_quiet()
        assert client.task(victim)["state"] == "cancelled"
        assert client.task(other)["result"] == 3  # what it waits for has the victim's slot


def _is_named(client: Client) -> bool:
    return "starvation" in str(client.call("GET", "/pools/cpu").json()["notice"])
