"""Notices and holds by hand over HTTP: what is said, who has seen it, and who may do so."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.served import Served, served
from tests.support.watching import task_in

ECHO = "/api/v1/functions/web_functions.echo"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of its own, since other tests rely on what is changed here."""
    with served(tmp_path_factory.mktemp("notices")) as running:
        yield running


def notices(server: Served) -> dict[str, dict[str, Any]]:
    response = server.http.get("/api/v1/notices")
    assert response.status_code == 200, response.text
    return {each["key"]: each for each in response.json()["items"]}


def test_a_function_on_hold_refuses_with_the_reason_and_runs_again_when_released(
    server: Served,
) -> None:
    held = server.http.post(f"{ECHO}/hold", json={"reason": "wrong prices"}).json()["hold"]
    assert (held["kind"], held["reason"], held["deaths"]) == ("hand", "wrong prices", 0)
    refused = server.submit("echo", 1)
    assert (refused.status_code, refused.json()["code"]) == (429, "function_on_hold")
    assert "wrong prices" in refused.json()["detail"]
    (found,) = [each for key, each in notices(server).items() if key.startswith("hold:")]
    assert found["severity"] == "warning"
    assert "wrong prices" in found["text"]
    assert server.http.post(f"{ECHO}/pause").status_code == 409
    assert server.http.post(f"{ECHO}/release").json()["hold"] is None
    assert server.submit("echo", 1).json()["state"] == "succeeded"


def test_a_paused_function_takes_tasks_and_is_counted(server: Served) -> None:
    assert server.http.post(f"{ECHO}/pause").json()["hold"]["kind"] == "pause"
    task = server.submit("echo", 7, wait=0.2).json()
    assert task["state"] == "queued"
    figures = server.http.get("/metrics").text
    assert "pooldeck_functions_paused 1" in figures
    assert "pooldeck_functions_on_hold 0" in figures
    assert server.http.post(f"{ECHO}/release").status_code == 404
    assert server.http.post(f"{ECHO}/resume").json()["hold"] is None
    assert task_in(server, task["id"], "succeeded")["result"] == 7


@pytest.mark.parametrize("deed", ["hold", "pause", "resume", "release"])
def test_a_function_that_there_is_not_cannot_be_held(server: Served, deed: str) -> None:
    answer = server.http.post(f"/api/v1/functions/no.such/{deed}")
    assert answer.status_code == 404


def test_a_notice_is_seen_by_its_key_and_shown_again(server: Served) -> None:
    server.http.patch("/api/v1/pools/io", json={"paused": True})
    assert notices(server)["paused:io"]["seen"] is None
    body = {"key": "paused:io"}
    seen = server.http.post("/api/v1/notices/seen", json=body).json()["items"]
    assert next(each for each in seen if each["key"] == "paused:io")["seen"]["by"] == "owner"
    (action,) = server.http.get("/api/v1/actions", params={"deed": "see_notice"}).json()["items"]
    assert (action["target"], action["reason"]) == (
        "paused:io",
        f"io {notices(server)['paused:io']['text']}",
    )
    server.http.post("/api/v1/notices/unseen", json=body)
    assert notices(server)["paused:io"]["seen"] is None
    server.http.patch("/api/v1/pools/io", json={"paused": False})
    assert "paused:io" not in notices(server)
    assert server.http.post("/api/v1/notices/seen", json=body).status_code == 404
    assert server.http.post("/api/v1/notices/seen", json={"key": ""}).status_code == 422
