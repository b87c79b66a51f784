"""What tasks need of hosts: they go where it is, share it there, and say what they wait for."""

from pathlib import Path
from typing import Any

from tests.support.served_hosts import POOL, ServedHosts, served_hosts
from tests.support.waiting import eventually


def _submitted(deck: ServedHosts, function: str, *args: Any, **body: Any) -> str:
    answer = deck.server.submit(function, *args, wait=0, pool=POOL, **body)
    return str(answer.json()["id"])


def _task(deck: ServedHosts, task: str) -> dict[str, Any]:
    found: dict[str, Any] = deck.http.get(f"/api/v1/tasks/{task}").json()
    return found


def _waits_for(deck: ServedHosts, task: str, reason: str) -> str:
    """Return why a task waits, in words, when that is the reason."""
    eventually(lambda: (_task(deck, task)["waiting"] or {}).get("reason") == reason, reason)
    return str(_task(deck, task)["waiting"]["words"])


def _runs(deck: ServedHosts, task: str) -> str:
    """Return the worker that a task runs in."""
    eventually(lambda: _task(deck, task)["state"] == "running", "it runs")
    return str(_task(deck, task)["worker"]["id"])


def test_a_task_goes_to_a_host_that_has_what_it_needs_and_the_next_one_waits(
    tmp_path: Path,
) -> None:
    with served_hosts(tmp_path, size=2) as deck:
        first = _submitted(deck, "block", needs={"gpu": 1})
        assert "No host is attached to the pool big" in _waits_for(deck, first, "no_host")
        deck.start("plain")
        deck.is_in("plain", "attached")
        assert "has gpu, of which it needs 1" in _waits_for(deck, first, "no_machine_has_it")
        deck.start("card", "gpu=1")
        assert "@card." in _runs(deck, first)
        second = _submitted(deck, "block", needs={"gpu": 1})
        assert "gpu=1" in _waits_for(deck, second, "needs_in_use")
        others = [_submitted(deck, "echo", n) for n in range(4)]
        eventually(lambda: all(_task(deck, each)["result"] is not None for each in others))
        deck.http.post(f"/api/v1/tasks/{first}/cancel", json={"kill": True}).raise_for_status()
        assert "@card." in _runs(deck, second)
