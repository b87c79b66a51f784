"""Rows 5, 6 and 9: a worker dies, of its task or of somebody outside, and what it had started."""

import os
import signal
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from tests.faults.client import Client
from tests.faults.conftest import Standing
from tests.faults.deployment import CONFIG, FAULTS, deployed
from tests.faults.memory_group import memory_group
from tests.faults.oracle import violations
from tests.support.waiting import eventually

BOTH = pytest.mark.parametrize("pool", ["cpu", "io"])


class Death(NamedTuple):
    """How a task ends its worker, and the words for it."""

    function: str
    args: tuple[object, ...]
    words: str
    is_traced: bool = False


DEATHS = pytest.mark.parametrize(
    "death",
    [
        Death("leave", (0,), "exited with code 0"),
        Death("leave", (1,), "exited with code 1"),
        Death("segfault", (), "SIGSEGV", is_traced=True),
        Death("abort", (), "SIGABRT", is_traced=True),
        Death("kill_self", (signal.SIGKILL,), "SIGKILL"),
    ],
    ids=lambda death: death.words,
)
MOST_SECONDS = 10.0  # from a death to the next start; wanted: 1, where the machine never pauses


def incident_of(standing: Standing, pid: int) -> Any:
    """Wait for the incident of the worker `pid`, and for the pool to be whole again."""
    found: list[Any] = []

    def is_told() -> bool:
        items = standing.deployment.get("/incidents?limit=50")["items"]
        found[:] = [item for item in items if item["pid"] == pid and item["recovered_at"]]
        return bool(found)

    eventually(is_told, f"the death of worker {pid} is an incident", seconds=15)
    return found[0]


def check_crashed(task: Any, incident: Any, words: str) -> None:
    assert (task["state"], task["error"]["kind"]) == ("failed", "crashed")
    assert task["error"]["type"] == incident["error_type"] == "BrokenProcessPool"
    assert words in task["error"]["message"]
    assert words in incident["cause"]
    assert incident["culprit"] == {"task": task["id"], "function": task["function"]}
    assert incident["recovery_ms"] > 0
    assert incident["peak_rss_bytes"] > 1 << 20


@DEATHS
@BOTH
def test_a_task_that_ends_its_worker_is_the_culprit_and_the_next_one_starts_soon(
    standing: Standing, pool: str, death: Death
) -> None:
    crashed = standing.client.submit(death.function, *death.args, pool=pool, wait=30)
    following = standing.client.submit("add", 1, 2, pool=pool, wait=30)
    assert following["result"] == 3
    died = standing.deployment.when_started(crashed["id"])
    started = standing.deployment.when_started(following["id"])
    assert started.at - died.at < MOST_SECONDS
    incident = incident_of(standing, died.pid)
    check_crashed(crashed, incident, death.words)
    assert not incident["bystanders"]
    if death.is_traced:
        assert f"in {death.function}" in incident["traceback"]


@DEATHS
def test_in_a_process_pool_nobody_else_is_touched(
    standing: Standing, tmp_path: Path, death: Death
) -> None:
    gate = tmp_path / "gate"
    neighbour = standing.client.submit("wait_for", str(gate), pool="cpu")["id"]
    begun = standing.deployment.when_started(neighbour)
    crashed = standing.client.submit(death.function, *death.args, pool="cpu", wait=30)
    pid = standing.deployment.when_started(crashed["id"]).pid
    check_crashed(crashed, incident_of(standing, pid), death.words)
    gate.touch()
    ended = standing.client.task(neighbour)
    assert (ended["state"], ended["attempt"], ended["worker"]["pid"]) == ("succeeded", 1, begun.pid)


@DEATHS
def test_in_a_thread_pool_the_culprit_is_named_where_it_can_be_known(
    standing: Standing, tmp_path: Path, death: Death
) -> None:
    neighbour = standing.client.submit("wait_for", str(tmp_path / "never"), pool="io")["id"]
    standing.deployment.when_started(neighbour)
    task = standing.client.submit(death.function, *death.args, pool="io", wait=30)
    incident = incident_of(standing, standing.deployment.when_started(task["id"]).pid)
    beside = standing.client.task(neighbour)
    assert (beside["state"], beside["error"]["kind"]) == ("lost", "bystander")
    if death.function == "kill_self":  # it looks like any SIGKILL from outside
        assert incident["culprit"] is None
        assert {each["task"] for each in incident["suspects"]} == {task["id"], neighbour}
        assert (task["state"], task["error"]["kind"]) == ("lost", "bystander")
    else:
        check_crashed(task, incident, death.words)
        assert incident["bystanders"] == [{"task": neighbour, "became": "lost"}]


@BOTH
def test_a_worker_that_is_killed_from_outside_is_told_with_its_memory(
    standing: Standing, tmp_path: Path, pool: str
) -> None:
    victim = standing.client.submit("hold_memory", 150, str(tmp_path / "never"), pool=pool)["id"]
    pid = standing.deployment.when_started(victim).pid
    eventually(lambda: psutil.Process(pid).memory_info().rss > 160 << 20, "the memory is held")
    standing.killed.add(pid)
    os.kill(pid, signal.SIGKILL)
    incident = incident_of(standing, pid)
    check_crashed(standing.client.task(victim), incident, "killed by SIGKILL")
    assert incident["peak_rss_bytes"] >= 150 << 20
    assert "memory" not in incident["cause"]  # no counter says so


def test_an_idle_worker_that_is_killed_from_outside_has_no_culprit(standing: Standing) -> None:
    worker = standing.deployment.get("/pools/cpu")["workers"][0]
    standing.killed.add(worker["pid"])
    os.kill(worker["pid"], signal.SIGKILL)
    incident = incident_of(standing, worker["pid"])
    assert (incident["culprit"], incident["suspects"], incident["bystanders"]) == (None, [], [])
    assert (incident["signal"], incident["exit_code"]) == (signal.SIGKILL, None)
    assert standing.client.submit("add", 1, 2, pool="cpu", wait=30)["result"] == 3


@BOTH
def test_a_task_that_asks_for_more_memory_than_there_is_fails_alone(
    standing: Standing, pool: str
) -> None:
    task = standing.client.submit("burst_memory", 2048, pool=pool, wait=30)
    assert (task["error"]["kind"], task["error"]["type"]) == ("exception", "MemoryError")
    assert standing.client.submit("add", 1, 2, pool=pool, wait=30)["result"] == 3


def test_a_task_that_takes_more_memory_than_there_is_is_called_out_of_memory(
    tmp_path: Path,
) -> None:
    with memory_group(640 << 20) as starter:
        with deployed(tmp_path, starter=starter) as deployment, Client(deployment) as client:
            never = str(tmp_path / "never")
            greedy = client.submit("hold_memory", 2048, never, pool="cpu", wait=30)
            victim = greedy["worker"]["pid"]
            incident = incident_of(Standing(deployment, client), victim)
            check_crashed(greedy, incident, "probably out of memory")
            assert "of 640 MiB" in incident["cause"]
            assert incident["peak_rss_bytes"] > 300 << 20
            assert client.submit("add", 1, 2, pool="cpu", wait=30)["result"] == 3
            assert violations(deployment, client.ledger, killed={victim}) == []
        assert deployment.families[-1].left_in_the_end() == []


def test_a_function_that_may_be_run_again_is_run_again_after_a_crash(standing: Standing) -> None:
    task = standing.client.submit("crash_until", 3, pool="cpu", wait=30)
    assert (task["state"], task["attempt"], task["result"]) == ("succeeded", 3, 3)
    attempts = standing.deployment.get(f"/tasks/{task['id']}/attempts")["items"]
    assert [(each["state"], each["error"] and each["error"]["kind"]) for each in attempts] == [
        ("failed", "crashed"),
        ("failed", "crashed"),
        ("succeeded", None),
    ]
    for attempt in attempts[:2]:
        assert incident_of(standing, attempt["worker"]["pid"])["culprit"]["task"] == task["id"]


@pytest.mark.parametrize("end", ["cancel", "worker", "outside"])
def test_what_a_task_has_started_goes_with_its_worker(
    standing: Standing, tmp_path: Path, end: str
) -> None:
    task = standing.client.submit("leave_children", str(tmp_path), pool="cpu")["id"]
    pid = standing.deployment.when_started(task).pid
    eventually(lambda: len(_noted(tmp_path)) == 3, "the children are there")
    children = [psutil.Process(pid) for pid in _noted(tmp_path)]
    match end:
        case "cancel":
            assert standing.client.do(f"/tasks/{task}/cancel", kill=True)["outcome"] == "killed"
        case "worker":
            standing.client.do(f"/workers/{standing.deployment.worker('cpu', pid)}/kill")
        case _:
            standing.killed.add(pid)
            os.kill(pid, signal.SIGKILL)
    for child in children:
        eventually(partial(_is_gone, child), f"{child} is gone", seconds=5)
    ended = standing.client.task(task)
    if end == "outside":
        assert (ended["state"], ended["error"]["kind"]) == ("failed", "crashed")
    else:
        assert (ended["state"], ended["error"]) == ("cancelled", None)
        incidents = standing.deployment.get("/incidents?limit=50")["items"]
        assert pid not in {incident["pid"] for incident in incidents}


def _noted(folder: Path) -> list[int]:
    """Return the process ids that were noted; a note that is just being written has none yet."""
    return [int(pid) for note in folder.iterdir() if (pid := note.read_text())]


def _is_gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.soak  # and, without HTTP: runtime/tasks/test_requeue.py
def test_a_function_that_keeps_killing_workers_waits_until_it_is_released(tmp_path: Path) -> None:
    config = CONFIG.replace("hold_after = 0", "hold_after = 2")
    with deployed(tmp_path, config) as deployment, Client(deployment) as client:
        for _ in range(2):
            assert client.submit("leave", 1, pool="cpu", wait=30)["error"]["kind"] == "crashed"
        refused = client.intend("leave", 1)
        answer = client.send(refused)
        assert (answer.status_code, answer.json()["code"]) == (429, "function_on_hold")
        assert int(answer.headers["retry-after"]) > 0
        assert client.submit("add", 1, 2, pool="cpu", wait=30)["result"] == 3

        client.do(f"/functions/{FAULTS}.leave/release")
        assert client.submit("leave", 1, pool="cpu", wait=30)["error"]["kind"] == "crashed"
