"""Resizing, pausing, draining, restarting and killing over HTTP."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.served import Served, served
from tests.support.watching import pool_where, task_in


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of its own, since other tests rely on what is changed here."""
    with served(tmp_path_factory.mktemp("pools")) as running:
        yield running


def change(server: Served, pool: str, **body: Any) -> dict[str, Any]:
    response = server.http.patch(f"/api/v1/pools/{pool}", json=body)
    assert response.status_code == 200, response.text
    health: dict[str, Any] = response.json()
    return health


def slots(pool: dict[str, Any]) -> int:
    return sum(len(worker["slots"]) for worker in pool["workers"])


@pytest.mark.parametrize(("pool", "size"), [("cpu", 3), ("io", 5)])
def test_a_pool_gets_another_size_while_it_runs(server: Served, pool: str, size: int) -> None:
    before = server.http.get(f"/api/v1/pools/{pool}").json()["size"]
    health = change(server, pool, size=size)
    assert health["size"] == size
    assert (health["controls"]["size"], health["controls"]["configured"]) == (size, before)
    pool_where(server, pool, lambda found: slots(found) == size)
    assert change(server, pool, size=before)["controls"] is None
    pool_where(server, pool, lambda found: slots(found) == before)


def test_a_paused_pool_hands_out_nothing_until_it_is_resumed(server: Served) -> None:
    assert change(server, "cpu", paused=True)["state"] == "paused"
    task = server.submit("echo", 1, wait=0.3).json()
    assert task["state"] == "queued"
    assert change(server, "cpu", paused=False)["state"] == "running"
    assert task_in(server, task["id"], "succeeded")["result"] == 1


def test_a_drained_pool_finishes_what_runs_and_stops(server: Served) -> None:
    running = server.submit("patient", wait=0).json()["id"]
    task_in(server, running, "running")
    drained = server.http.post("/api/v1/pools/solo/drain").json()
    assert drained["state"] == "draining"
    server.http.post(f"/api/v1/tasks/{running}/cancel")
    pool_where(server, "solo", lambda found: found["state"] == "stopped")
    assert change(server, "solo", paused=False)["state"] == "running"
    ran = server.submit("patient", wait=0).json()["id"]
    task_in(server, ran, "running")
    server.http.post(f"/api/v1/tasks/{ran}/cancel")


def test_a_restart_replaces_every_worker_and_refuses_nothing(server: Served) -> None:
    before = {each["id"] for each in server.http.get("/api/v1/pools/cpu").json()["workers"]}
    assert server.http.post("/api/v1/pools/cpu/restart").status_code == 200
    assert server.submit("add", 1).json()["result"] == 3

    def is_new(pool: dict[str, Any]) -> bool:
        now = {each["id"] for each in pool["workers"] if each["state"] != "starting"}
        return bool(now) and now.isdisjoint(before)

    pool_where(server, "cpu", is_new)
    assert server.submit("add", 1).json()["result"] == 3


def test_a_killed_worker_ends_its_task_and_is_replaced(server: Served) -> None:
    task = server.submit("block", wait=0).json()["id"]
    worker = task_in(server, task, "running")["worker"]["id"]
    health = server.http.post(f"/api/v1/workers/{worker}/kill")
    assert (health.status_code, health.json()["name"]) == (200, "solo")
    assert task_in(server, task, "cancelled")["error"] is None
    pool_where(server, "solo", lambda pool: worker not in {each["id"] for each in pool["workers"]})
    assert server.http.get("/api/v1/incidents", params={"pool": "solo"}).json()["items"] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/pools/sea"),
        ("POST", "/pools/sea/restart"),
        ("POST", "/pools/sea/drain"),
        ("POST", "/workers/sea-1/kill"),
    ],
)
def test_what_is_not_there_cannot_be_changed(server: Served, method: str, path: str) -> None:
    body = {"size": 1} if method == "PATCH" else {}
    response = server.http.request(method, f"/api/v1{path}", json=body)
    _expect(response, 404, "not_found")


@pytest.mark.parametrize("body", [{}, {"size": 0}, {"paused": "yes"}, {"kind": "thread"}])
def test_a_wrong_change_is_refused(server: Served, body: dict[str, Any]) -> None:
    _expect(server.http.patch("/api/v1/pools/cpu", json=body), 422, "invalid_request")


def _expect(response: httpx.Response, status: int, code: str) -> None:
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, response.json()["code"]) == (status, code)
