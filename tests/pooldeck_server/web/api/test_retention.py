"""Deleting and keeping over HTTP, what is said of what is gone, and the rules."""

from typing import Any

import httpx

from tests.support.served import Served

KEY = "Idempotency-Key"


def keyed(server: Served, key: str, value: int) -> httpx.Response:
    body = {"function": "web_functions.echo", "args": [value]}
    return server.http.post("/api/v1/tasks", json=body, headers={KEY: key}, params={"wait": 20})


def ended(server: Served, *tags: str) -> dict[str, Any]:
    task: dict[str, Any] = server.submit("echo", 1, tags=list(tags)).json()
    assert task["state"] == "succeeded", task
    return task


def test_a_task_says_when_it_goes_and_that_somebody_keeps_it(server: Served) -> None:
    task = ended(server)
    assert task["kept_at"] is None
    assert task["expires_at"] > task["finished_at"]

    path = f"/api/v1/tasks/{task['id']}"
    kept = server.http.post(f"{path}/keep").json()
    assert (kept["kept_at"] is not None, kept["expires_at"]) == (True, None)
    refused = server.http.delete(path)
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert "keeps it" in refused.json()["detail"]
    assert server.http.post(f"{path}/unkeep").json()["expires_at"] == task["expires_at"]


def test_what_has_not_ended_goes_at_no_time_and_by_no_hand(server: Served) -> None:
    task = server.submit("echo", 1, wait=0, delay=3600).json()
    assert task["expires_at"] is None
    assert server.http.delete(f"/api/v1/tasks/{task['id']}").status_code == 409


def test_a_deleted_task_is_gone_and_its_address_says_so(server: Served) -> None:
    task = ended(server)
    path = f"/api/v1/tasks/{task['id']}"
    assert server.http.delete(path).json() == {"deleted": task["id"]}
    for gone in (server.http.get(path), server.http.delete(path), server.http.get(f"{path}/logs")):
        assert gone.status_code == 404
        assert "was deleted on" in gone.json()["detail"]
    assert "was deleted on" in server.http.get(f"/tasks/{task['id']}").text


def test_a_key_of_a_deleted_task_runs_nothing_again(server: Served) -> None:
    task = keyed(server, "gone", 1).json()
    assert keyed(server, "gone", 1).json()["id"] == task["id"]
    server.http.delete(f"/api/v1/tasks/{task['id']}")

    again = keyed(server, "gone", 1)
    assert (again.status_code, again.json()["code"]) == (410, "task_deleted")
    assert again.json()["id"] == task["id"]
    assert keyed(server, "gone", 2).json()["code"] == "idempotency_mismatch"
    item = {"function": "web_functions.echo", "args": [1], "idempotency_key": "gone"}
    batch = server.http.post("/api/v1/tasks/batch", json={"tasks": [item]})
    assert (batch.status_code, batch.json()["ids"]) == (202, [task["id"]])


def test_the_number_is_said_before_many_are_deleted(server: Served) -> None:
    two = [ended(server, "to-delete") for _ in range(2)]
    waiting = server.submit("echo", 1, wait=0, delay=3600, tags=["to-delete"]).json()
    server.http.post(f"/api/v1/tasks/{two[0]['id']}/keep")
    wanted = {"filter": {"tag": ["to-delete"]}}

    said = server.http.post("/api/v1/tasks/delete", json=wanted | {"dry_run": True}).json()
    assert said == {"matched": 2, "outcomes": {}}
    done = server.http.post("/api/v1/tasks/delete", json=wanted).json()
    assert done == {"matched": 2, "outcomes": {"deleted": 1, "kept": 1}}
    left = server.http.get("/api/v1/tasks", params={"tag": "to-delete"}).json()["items"]
    assert {each["id"] for each in left} == {two[0]["id"], waiting["id"]}


def test_named_tasks_are_deleted_and_the_others_are_counted_by_why(server: Served) -> None:
    task, waiting = ended(server), server.submit("echo", 1, wait=0, delay=3600).json()
    named = {"ids": [task["id"], waiting["id"], "nothing"]}
    done = server.http.post("/api/v1/tasks/delete", json=named).json()
    assert done["outcomes"] == {"deleted": 1, "not_final": 1, "not_found": 1}


def test_the_log_of_actions_says_what_was_deleted_and_why(server: Served) -> None:
    def latest() -> dict[str, Any]:
        found = server.http.get("/api/v1/actions", params={"deed": "delete", "limit": 1}).json()
        action: dict[str, Any] = found["items"][0]
        return action

    one = ended(server, "for-the-log")["id"]
    server.http.request("DELETE", f"/api/v1/tasks/{one}", json={"reason": "a trial"})
    assert (latest()["target"], latest()["reason"]) == (one, "a trial")
    assert latest()["before"] == {"function": "web_functions.echo", "state": "succeeded"}

    ended(server, "for-the-log")
    wanted = {"filter": {"tag": ["for-the-log"]}, "reason": "all trials"}
    server.http.post("/api/v1/tasks/delete", json=wanted)
    assert (latest()["number"], latest()["reason"]) == (1, "all trials")
    assert latest()["after"] == {"filter": {"tag": ["for-the-log"]}}

    ids = [ended(server)["id"] for _ in range(2)]
    server.http.post("/api/v1/tasks/delete", json={"ids": ids})
    assert latest()["after"] == {"chosen": 2, "ids": ids}


def test_a_pipeline_is_deleted_as_a_whole_by_its_filter(server: Served) -> None:
    steps = {
        "a": {"function": "web_functions.echo", "args": [1]},
        "b": {"function": "web_functions.echo", "args": [{"$result": "a"}]},
    }
    made = server.http.post("/api/v1/pipelines", json={"tasks": steps}).json()
    for (task,) in made["tasks"].values():
        assert server.http.get(f"/api/v1/tasks/{task}", params={"wait": 30}).json()["result"] == 1
        assert (
            "belongs to a pipeline" in server.http.delete(f"/api/v1/tasks/{task}").json()["detail"]
        )
    wanted = {"filter": {"pipeline": [made["id"]]}}
    partly = wanted["filter"] | {"state": ["succeeded"], "function": ["web_functions.echo"]}
    kept = server.http.post("/api/v1/tasks/delete", json={"filter": partly}).json()
    assert kept["outcomes"] == {"in_pipeline": 2}
    done = server.http.post("/api/v1/tasks/delete", json=wanted).json()
    assert done["outcomes"] == {"deleted": 2}
    gone = server.http.get(f"/api/v1/pipelines/{made['id']}")
    assert (gone.status_code, "was deleted" in gone.json()["detail"]) == (404, True)


def test_rules_are_shown_set_and_taken_back(server: Served) -> None:
    path = "/api/v1/retention"
    before = server.http.get(path).json()
    assert (before["source"], before["waits_for_a_word"]) == ("settings", False)
    assert before["rules"]["succeeded"] == 30
    assert before["rules"]["most"] == 1_000_000

    rules = {"failed": 12.5, "functions": [{"pattern": "acme.*", "days": 7}]}
    set_ = server.http.put(path, json=rules).json()
    assert (set_["source"], set_["rules"]["failed"], set_["rules"]["succeeded"]) == (
        "set",
        12.5,
        30,
    )
    assert set_["rules"]["functions"] == [{"pattern": "acme.*", "days": 7, "most": None}]
    assert server.http.put(path, json={"failed": -1}).status_code == 422
    assert server.http.put(path, json={"faild": 1}).status_code == 422
    assert server.http.delete(path).json()["rules"] == before["rules"]
    assert server.http.post(f"{path}/allow").status_code == 409


def test_room_and_deletions_are_figures_for_prometheus(server: Served) -> None:
    task = ended(server)
    server.http.delete(f"/api/v1/tasks/{task['id']}")
    text = server.http.get("/metrics").text
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(lines['pooldeck_tasks_deleted_total{state="succeeded"}']) >= 1
    assert float(lines["pooldeck_disk_free_bytes"]) > 0
    assert float(lines["pooldeck_database_free_bytes"]) >= 0
    assert lines["pooldeck_retention_waiting"] == "0.0"
