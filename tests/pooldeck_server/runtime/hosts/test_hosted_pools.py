"""Pools on hosts, with a real server and real host processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pooldeck_server.domain.tokens import RevokeToken
from pooldeck_server.runtime.access.asking import ask
from tests.support.host_processes import (
    host_process,
    host_token,
    hosts_settings,
    place_of,
    pool_of,
    wait_for_workers,
)
from tests.support.served import Served, served
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    functions = ("web_functions", "shared_functions")
    folder = tmp_path_factory.mktemp("data")
    with served(folder, functions=functions, **hosts_settings()) as found:
        yield found


@pytest.fixture(scope="module")
def token(server: Served) -> str:
    return host_token(server.settings.socket)


def test_a_task_runs_on_a_host_and_its_record_says_where(
    server: Served, token: str, tmp_path: Path
) -> None:
    with host_process(tmp_path, "host-a", place_of(server), token):
        wait_for_workers(server, 2)
        task = server.submit("add", 1, 2, pool="big").json()

    assert (task["state"], task["result"]) == ("succeeded", 3)
    assert task["worker"]["id"].startswith("big@host-a.")


def test_a_module_that_one_host_lacks_is_no_fault_of_the_code(
    server: Served, token: str, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    place = place_of(server)

    def reason_of_bare() -> str:
        return "".join(
            str(each["reason"]) for each in pool_of(server)["hosts"] if each["name"] == "bare"
        )

    with (
        host_process(tmp_path, "whole", place, token),
        host_process(tmp_path, "bare", place, token, functions=tmp_path / "empty"),
    ):
        wait_for_workers(server, 2)
        eventually(lambda: "No module named" in reason_of_bare(), "it is said of the host")

        assert "workers of the host bare look in the folder" in reason_of_bare()
        notices = server.http.get("/api/v1/notices").json()["items"]
        assert "web_functions" not in {each["subject"] for each in notices}
        assert server.submit("add", 1, 2, pool="big").json()["result"] == 3


def test_the_tasks_of_a_pool_go_to_all_its_hosts(
    server: Served, token: str, tmp_path: Path
) -> None:
    place = place_of(server)
    with (
        host_process(tmp_path, "host-b", place, token),
        host_process(tmp_path, "host-c", place, token),
    ):
        wait_for_workers(server, 4)
        ids = [server.submit("doze", 0.3, pool="big", wait=0).json()["id"] for _ in range(4)]
        found = [server.http.get(f"/api/v1/tasks/{each}?wait=60").json() for each in ids]

    assert {task["state"] for task in found} == {"succeeded"}
    assert {task["worker"]["id"].split(".")[0] for task in found} == {"big@host-b", "big@host-c"}


def test_a_host_without_the_modules_is_part_of_its_pool_and_says_what_is_missing(
    server: Served, token: str, tmp_path: Path
) -> None:
    with host_process(tmp_path, "host-d", place_of(server), token, functions=tmp_path):
        eventually(lambda: "web_functions" in str(pool_of(server)["reason"]), "it is said")

        assert server.submit("add", 1, 2, pool="io").json()["result"] == 3


def test_a_function_that_shares_state_is_refused_where_that_is_not(server: Served) -> None:
    body = {"function": "shared_functions.count", "args": ["hits", 1]}

    refused = server.http.post("/api/v1/tasks", json=body | {"pool": "big"})
    assert refused.status_code == 409
    assert "uses pooldeck.shared, which is on the server's machine" in refused.json()["detail"]
    ran = server.http.post("/api/v1/tasks?wait=60", json=body | {"pool": "io"})
    assert ran.json()["state"] == "succeeded"


def test_an_experiment_would_measure_another_machine_and_is_refused(server: Served) -> None:
    wanted = {"function": "web_functions.block", "samples": [{"args": [], "kwargs": {}}]}

    refused = server.http.post("/api/v1/experiments", json=wanted)

    assert refused.status_code == 409
    assert "runs in pool solo, which is on hosts" in refused.json()["detail"]


def test_hosts_that_no_engine_places_are_not_asked_for(server: Served) -> None:
    solo = server.http.patch("/api/v1/pools/solo", json={"hosts": 2})
    io = server.http.patch("/api/v1/pools/io", json={"hosts": 2})

    assert (solo.status_code, io.status_code) == (409, 404)
    assert "`pooldeck host --pool solo` on a machine adds one" in solo.json()["detail"]
    assert "it lives on the server's own machine" in io.json()["detail"]
    assert server.http.get("/api/v1/pools/solo").json()["wanted_hosts"] is None


def test_hosts_end_when_their_token_is_revoked(server: Served, tmp_path: Path) -> None:
    token = host_token(server.settings.socket, "to-be-revoked")
    with host_process(tmp_path, "host-r", place_of(server), token) as process:
        wait_for_workers(server, 2)
        ask(server.settings.socket, RevokeToken("to-be-revoked"))

        assert process.wait(30) == 0
        eventually(lambda: not pool_of(server)["workers"], "its workers are gone", 30)


def test_no_advice_is_given_on_what_runs_on_other_machines(server: Served) -> None:
    size = server.http.get("/api/v1/pools/big/advice").json()

    assert (size["verdict"], size["rule"]) == ("unknown", "on_hosts")
    refused = server.http.get("/api/v1/functions/web_functions.block/advice")
    assert refused.status_code == 409
    assert "runs in pool solo, which is on hosts" in refused.json()["detail"]
    assert server.http.get("/functions/web_functions.block").status_code == 200
