"""Why a task waits, as the API tells: each reason of a real server, with what helps."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.served import POOLS, WEB_FUNCTIONS, Served, served
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose pools are paused and filled by these tests alone."""
    pools = POOLS | {"io": POOLS["io"] | {"has": {"licence": 1}}}
    with served(tmp_path_factory.mktemp("waiting"), pools=pools) as running:
        yield running


@pytest.fixture(autouse=True)
def emptied(own: Served) -> Iterator[None]:
    """End what a test has left, and let all pools run again."""
    yield
    for pool in ("cpu", "io", "solo"):
        own.http.patch(f"/api/v1/pools/{pool}", json={"paused": False}).raise_for_status()
    own.http.post("/api/v1/server/resume")
    states = ["queued", "scheduled", "running"]
    answer = own.http.post("/api/v1/tasks/cancel", json={"filter": {"state": states}, "kill": True})
    answer.raise_for_status()
    eventually(lambda: not _listed(own, *states))


def _listed(own: Served, *states: str) -> list[dict[str, Any]]:
    found = own.http.get("/api/v1/tasks", params={"state": states}).json()
    return list(found["items"])


def _waiting(own: Served, task: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] | None = own.http.get(f"/api/v1/tasks/{task['id']}").json()["waiting"]
    assert found is not None
    return found


def _submit(own: Served, function: str, *args: Any, **body: Any) -> dict[str, Any]:
    answer = own.submit(function, *args, wait=0, **body)
    answer.raise_for_status()
    return dict(answer.json())


def test_a_paused_pool_is_named_with_the_place_and_what_helps(own: Served) -> None:
    own.http.patch("/api/v1/pools/cpu", json={"paused": True}).raise_for_status()
    first, second = (_submit(own, "add", n) for n in range(2))
    urgent = _submit(own, "add", 3, priority=5)
    found = _waiting(own, second)
    assert (found["reason"], found["position"]) == ("pool_paused", 3)
    assert found["words"] == (
        "The pool cpu is paused, and hands nothing out. "
        "2 tasks of a higher or the same priority go before it."
    )
    assert found["help"] == {"what": "resume_pool", "call": "PATCH /api/v1/pools/cpu"}
    assert [_waiting(own, each)["position"] for each in (urgent, first)] == [1, 2]
    listed = {each["id"]: each["waiting"] for each in _listed(own, "queued")}
    assert listed[second["id"]]["reason"] == "pool_paused"
    assert listed[second["id"]]["position"] is None


def test_a_stopped_pool_is_told_from_a_paused_one(own: Served) -> None:
    own.http.post("/api/v1/pools/io/drain").raise_for_status()
    task = _submit(own, "say", "late")
    eventually(lambda: _waiting(own, task)["reason"] == "pool_stopped")


def test_busy_slots_are_said_to_be_busy_and_nobody_guesses_for_how_long(own: Served) -> None:
    _submit(own, "block")
    eventually(lambda: bool(_listed(own, "running")))
    waits = [_submit(own, "block") for _ in range(3)]
    eventually(lambda: _waiting(own, waits[-1])["reason"] == "slots_busy")
    found = _waiting(own, waits[-1])
    assert "The only slot of the pool solo is busy." in found["words"]
    assert found["seconds"] is None
    assert "cannot be said" in found["words"]
    assert found["help"]["what"] == "see_running"


def test_a_task_that_waits_for_others_names_those_that_have_not_ended(own: Served) -> None:
    done = own.submit("add", 1).json()
    own.http.patch("/api/v1/pools/cpu", json={"paused": True}).raise_for_status()
    before = _submit(own, "add", 2)
    task = _submit(own, "add", 3, after=[done["id"], before["id"]])
    found = _waiting(own, task)
    assert found["reason"] == "waits_for_tasks"
    assert found["words"] == "It waits for 1 task to end."
    function = f"{WEB_FUNCTIONS}.add"
    assert found["after"] == [{"id": before["id"], "function": function, "state": "queued"}]


def test_a_task_for_later_says_when(own: Served) -> None:
    task = _submit(own, "add", 1, delay=3600)
    found = _waiting(own, task)
    assert found["reason"] == "waits_for_its_time"
    assert found["until"] is not None
    assert 3000 < found["seconds"] <= 3600
    assert found["help"] == {"what": "run_now", "call": f"PATCH /api/v1/tasks/{task['id']}"}


def test_a_failed_attempt_says_that_it_is_run_again(own: Served) -> None:
    task = _submit(own, "fail", "again", retries=6)  # each pause is longer than the one before
    found: list[dict[str, Any]] = []

    def waits() -> bool:
        shown = own.http.get(f"/api/v1/tasks/{task['id']}").json()
        found[:] = [shown] if shown["state"] == "scheduled" else []
        return bool(found)

    eventually(waits)
    (shown,) = found
    assert shown["waiting"]["reason"] == "waits_to_retry"
    attempt = shown["attempt"]
    assert shown["waiting"]["words"].startswith(f"Its attempt {attempt} failed; it is run again at")


def test_a_task_of_a_pool_that_is_gone_says_so(tmp_path: Path) -> None:
    with served(tmp_path, pools=POOLS | {"old": {"kind": "thread", "size": 1}}) as running:
        running.http.patch("/api/v1/pools/old", json={"paused": True}).raise_for_status()
        task = _submit(running, "add", 1, pool="old")
    with served(tmp_path) as anew:
        found = _waiting(anew, task)
    assert (found["reason"], found["position"], found["help"]) == ("no_such_pool", None, None)
    assert "The configuration has no pool old any more" in found["words"]


def test_a_drained_server_is_named_before_a_paused_pool(own: Served) -> None:
    own.http.patch("/api/v1/pools/cpu", json={"paused": True}).raise_for_status()
    task = _submit(own, "add", 1)
    own.http.post("/api/v1/server/drain", json={"reason": "new disk"}).raise_for_status()
    found = _waiting(own, task)
    assert found["reason"] == "server_draining"
    assert "new disk" in found["words"]
    assert found["help"]["what"] == "resume_server"


def test_what_runs_or_has_ended_does_not_wait(own: Served) -> None:
    ended = own.submit("add", 1).json()
    assert own.http.get(f"/api/v1/tasks/{ended['id']}").json()["waiting"] is None


def test_what_is_on_hold_says_so_and_counts_for_the_oldest_wait(tmp_path: Path) -> None:
    with served(tmp_path, hold_after=2) as running:
        running.http.patch("/api/v1/pools/solo", json={"paused": True}).raise_for_status()
        tasks = [_submit(running, "die", int(signal.SIGKILL)) for _ in range(3)]
        running.http.patch("/api/v1/pools/solo", json={"paused": False}).raise_for_status()
        on_hold = f"{WEB_FUNCTIONS}.die is on hold"
        eventually(
            lambda: on_hold in str(running.http.get(f"/api/v1/tasks/{tasks[2]['id']}").json())
        )
        found = _waiting(running, tasks[2])
        assert (found["reason"], found["position"]) == ("function_on_hold", None)
        assert found["help"]["what"] == "release_function"

        def pool() -> dict[str, Any]:
            return dict(running.http.get("/api/v1/pools/solo").json())

        eventually(lambda: pool()["oldest_wait"] is not None)
        assert pool()["queued"] == 1
        running.http.post(f"/api/v1/tasks/{tasks[2]['id']}/cancel").raise_for_status()
        eventually(lambda: pool()["oldest_wait"] is None)


def test_what_no_machine_has_is_named_with_the_most_that_one_has(own: Served) -> None:
    wide = _submit(own, "add", 1, needs={"gpu": 1, "cpus": 100_000})
    eventually(lambda: _waiting(own, wide)["reason"] == "no_machine_has_it")
    words = _waiting(own, wide)["words"]
    assert "No machine of the pool cpu has gpu, of which it needs 1." in words
    assert "has cpus 100000, as it needs: the most is " in words
    listed = {each["id"]: each["waiting"] for each in _listed(own, "queued")}
    assert listed[wide["id"]]["reason"] == "no_machine_has_it"


def test_what_others_have_in_use_is_said_to_be(own: Served) -> None:
    _submit(own, "wait_in_a_thread", needs={"licence": 1})
    eventually(lambda: bool(_listed(own, "running")))
    task = _submit(own, "say", "late", needs={"licence": 1, "cpus": 0.5})
    eventually(lambda: _waiting(own, task)["reason"] == "needs_in_use")
    assert _waiting(own, task)["words"] == (
        "The machines of the pool io that have what it needs are busy with other tasks: "
        "cpus=0.5, licence=1."
    )
    assert _waiting(own, task)["help"]["what"] == "see_running"
    assert task["options"]["needs"] == {"cpus": 0.5, "licence": 1.0}


@pytest.mark.parametrize(
    "needs",
    [{"GPU": 1}, {"a b": 1}, {"gpu": 0}, {"gpu": -1}, {"gpu": "1"}, {"gpu": True}, {"gpu": 1e13}],
)
def test_needs_that_nobody_could_meet_are_refused_at_the_door(
    own: Served, needs: dict[str, Any]
) -> None:
    answer = own.submit("add", 1, wait=0, needs=needs)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert "needs" in str(answer.json())
