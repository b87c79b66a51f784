"""Callbacks over HTTP: turned on once, refused at the door, told for each end, seen, sent again."""

import re
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest

from pooldeck_server.settings import AlertSettings
from tests.support.receiver import Receiver, receiving
from tests.support.served import Served, served
from tests.support.waiting import eventually

CALLBACKS = "/api/v1/alerts/callbacks"
LISTED = AlertSettings(
    allowed_networks=(ip_network("127.0.0.0/8"),), callback_hosts=("127.0.0.1", ".example.com")
)

pytestmark = pytest.mark.usefixtures("secret")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("callbacks"), alerts=LISTED) as running:
        yield running


@pytest.fixture(scope="module")
def secret(server: Served) -> str:
    """Turn callbacks on, on the page that shows the secret once."""
    assert server.submit("add", 1, 2, callback="http://127.0.0.1/").status_code == 422
    page = server.http.post("/alerts/callbacks/rotate")
    found = re.search(r'id="new-secret">(whsec_[^<]+)<', page.text)
    assert found is not None
    return found[1]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def told(server: Served, task: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = server.http.get(CALLBACKS, params={"task": task}).json()["items"]
    return items


def test_the_end_of_a_task_is_told_signed_and_thin(
    server: Served, secret: str, receiver: Receiver
) -> None:
    task = server.submit("add", 20, 22, callback=receiver.url).json()
    assert task["result"] == 42
    eventually(lambda: bool(receiver.got), "the end is told")
    (got,) = receiver.got
    assert got.is_signed_by(secret)
    assert b'"type":"task.ended"' in got.body
    assert got.data == {
        "id": task["id"],
        "function": "web_functions.add",
        "pool": task["pool"],
        "state": "succeeded",
        "attempt": 1,
        "created_at": got.data["created_at"],
        "started_at": got.data["started_at"],
        "finished_at": got.data["finished_at"],
        "error_kind": None,
        "error_type": None,
        "path": f"/api/v1/tasks/{task['id']}",
    }
    eventually(lambda: told(server, task["id"])[0]["state"] == "delivered", "that is noted")
    (listed,) = told(server, task["id"])
    assert "of-the-receiver" not in str(listed)
    page = server.http.get("/alerts").text
    assert task["id"] in page
    assert "of-the-receiver" not in page


def test_a_failure_is_told_by_its_kind_and_type_and_once_more_after_a_retry(
    server: Served, receiver: Receiver
) -> None:
    task = server.submit("fail", "an argument that stays inside", callback=receiver.url).json()
    eventually(lambda: len(receiver.got) == 1, "the end is told")
    assert server.http.post(f"/api/v1/tasks/{task['id']}/retry").status_code < 300
    eventually(lambda: len(receiver.got) == 2, "the second end is told, too")
    for number, got in enumerate(receiver.got, 1):
        assert (got.data["state"], got.data["attempt"]) == ("failed", number)
        assert (got.data["error_kind"], got.data["error_type"]) == ("exception", "ValueError")
        assert b"stays inside" not in got.body
    assert len({got.id for got in receiver.got}) == 2


def test_a_cancelled_task_and_each_of_a_batch_are_told(server: Served, receiver: Receiver) -> None:
    later = {"function": "web_functions.add", "args": [1, 2], "callback": receiver.url}
    tasks = [{**later, "delay": 3600}, {**later, "delay": 3600}, {**later, "callback": None}]
    answer = server.http.post("/api/v1/tasks/batch", json={"tasks": tasks})
    ids = answer.json()["ids"]
    for each in ids[:2]:
        server.http.post(f"/api/v1/tasks/{each}/cancel")
    eventually(lambda: len(receiver.got) == 2, "both ends are told")
    assert {(got.data["id"], got.data["state"]) for got in receiver.got} == {
        (each, "cancelled") for each in ids[:2]
    }


def test_the_last_step_of_a_pipeline_may_carry_one(server: Served, receiver: Receiver) -> None:
    first = {"function": "web_functions.add", "args": [1, 2]}
    last = {"function": "web_functions.add", "args": [{"$result": "first"}, 4]}
    steps = {"first": first, "last": last | {"callback": receiver.url}}
    assert server.http.post("/api/v1/pipelines", json={"tasks": steps}).status_code == 202
    eventually(lambda: bool(receiver.got), "the end is told")
    assert receiver.got[0].data["state"] == "succeeded"
    steps["last"] = {**steps["last"], "args": [{"$item": True}, 1], "each": [1, 2]}
    refused = server.http.post("/api/v1/pipelines", json={"tasks": steps})
    assert (refused.status_code, refused.json()["field"]) == (422, "/tasks/last/callback")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("ftp://example.com/", "http"),
        ("not an address", "http"),
        ("http://user:password@127.0.0.1/", "password"),
        ("http://10.0.0.1/", "callback_hosts"),
        ("http://127.0.0.1.evil.test/", "callback_hosts"),
        ("http://[::1]/", "callback_hosts"),
        ("http://127.0.0.1:0/", "port"),
        ("https://127.0.0.1/" + "x" * 2048, ""),
        ("", ""),
        (7, ""),
    ],
)
def test_an_address_that_cannot_be_called_is_refused_at_the_door(
    server: Served, address: object, words: str
) -> None:
    refused = server.submit("add", 1, 2, callback=address)
    assert refused.status_code == 422
    assert refused.json()["field"] == "/callback"
    assert words in refused.json()["detail"]
    assert "user:password" not in refused.text


def test_a_batch_says_which_of_its_addresses_is_refused(server: Served, receiver: Receiver) -> None:
    def submit(*addresses: str) -> dict[str, Any]:
        task = {"function": "web_functions.add", "args": [1, 2], "delay": 600}
        tasks = [task, *(task | {"callback": each} for each in addresses)]
        answer = server.http.post("/api/v1/tasks/batch", json={"tasks": tasks})
        assert answer.status_code == 422
        refused: dict[str, Any] = answer.json()
        return refused

    assert submit(receiver.url, "http://10.0.0.1/")["index"] == 2
    many = [f"http://a{number}.example.com/" for number in range(21)]
    assert "hosts" in submit(*many)["detail"]
    assert submit("http://[::1/")["field"] == "/callback"
    steps = {"only": {"function": "web_functions.add", "args": [1], "callback": "http://[::1/"}}
    refused = server.http.post("/api/v1/pipelines", json={"tasks": steps}).json()
    assert (refused["step"], refused["field"]) == ("only", "/tasks/only/callback")


def test_a_key_counts_the_callback_and_null_is_none(server: Served, receiver: Receiver) -> None:
    def submit(key: str, **body: object) -> int:
        path, headers = "/api/v1/tasks", {"Idempotency-Key": key}
        task = {"function": "web_functions.add", "args": [1, 2]} | body
        return server.http.post(path, json=task, headers=headers).status_code

    assert submit("plain") == 202
    assert submit("plain", callback=None) in {200, 202}
    assert submit("plain", callback=receiver.url) == 422
    assert submit("told", callback=receiver.url) == 202
    assert submit("told", callback=receiver.url) in {200, 202}


def test_what_could_not_be_told_is_sent_again_by_hand_and_waits_while_they_are_off(
    server: Served, receiver: Receiver
) -> None:
    receiver.status = 500
    task = server.submit("add", 1, 2, callback=receiver.url).json()["id"]
    eventually(lambda: [each["tries"] for each in told(server, task)] == [1], "it was tried")
    (waiting,) = told(server, task)
    assert (waiting["state"], waiting["status"]) == ("waiting", 500)
    retry = f"{CALLBACKS}/{waiting['id']}/retry"
    assert server.http.post(f"{CALLBACKS}/disable").json()["is_on"] is False
    assert server.http.post(retry).status_code == 409
    assert server.submit("add", 1, 2, callback=receiver.url).status_code == 422
    assert server.http.post(f"{CALLBACKS}/enable").json()["is_on"] is True
    receiver.status = 204
    assert server.http.post(retry).status_code == 200
    eventually(lambda: told(server, task)[0]["state"] == "delivered", "it is told")
    assert len({got.id for got in receiver.got}) == 1
    assert server.http.post(f"{CALLBACKS}/999999/retry").status_code == 404


def test_prometheus_is_told_what_was_sent_and_what_waits(
    server: Served, receiver: Receiver
) -> None:
    def figure(name: str) -> float:
        lines = server.http.get("/metrics").text.splitlines()
        return float(next(line for line in lines if line.startswith(name)).rpartition(" ")[2])

    delivered = 'pooldeck_deliveries_total{kind="callback",outcome="delivered"}'
    waiting = 'pooldeck_deliveries_waiting{kind="callback"}'
    before = figure(delivered), figure(waiting)
    server.submit("add", 1, 2, callback=receiver.url)
    eventually(lambda: figure(delivered) == before[0] + 1, "it is counted")
    receiver.status = 500
    server.submit("add", 1, 2, callback=receiver.url)
    eventually(lambda: figure(waiting) == before[1] + 1, "one waits")
    failed = 'pooldeck_deliveries_total{kind="callback",outcome="failed"}'
    eventually(lambda: figure(failed) >= 1, "its failure is counted")
    assert figure('pooldeck_deliveries_oldest_wait_seconds{kind="callback"}') > 0
