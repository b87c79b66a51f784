"""The client on a bad day: servers that hang up, refuse, come back, or are none."""

import socket
import time

import pytest

from pooldeck import AsyncClient, Client
from pooldeck.client.errors import ClientError, NotReachable, Refused
from tests.support.misbehaving import NOTHING, Misbehaving, misbehaving, said, stores

BOUND = 60
FULL = {"code": "queue_full", "detail": "the queue is full"}


def test_a_batch_whose_answer_is_lost_is_sent_again_under_the_same_key() -> None:
    with misbehaving(NOTHING, NOTHING, stores) as server, Client(server.url) as client:
        assert client.submit("jobs.add", 1).stored(BOUND) == "id-0"
    first, *others = server.batches
    assert len(others) == 2
    for again in others:
        assert again.body == first.body
        assert again.headers["idempotency-key"] == first.headers["idempotency-key"]


def test_another_batch_has_another_key() -> None:
    with misbehaving(stores) as server, Client(server.url) as client:
        for number in range(2):
            client.submit("jobs.add", number).stored(BOUND)
    keys = [batch.headers["idempotency-key"] for batch in server.batches]
    assert len(set(keys)) == 2


def test_the_server_says_how_long_to_wait() -> None:
    later = said(503, {"code": "draining", "detail": "it ends"}, retry_after="1")
    with misbehaving(later, stores) as server, Client(server.url) as client:
        client.submit("jobs.add", 1).stored(BOUND)
    first, second = server.batches
    assert second.at - first.at >= 0.9
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


async def test_what_is_refused_for_one_is_sent_again_without_it() -> None:
    bad = said(422, {"code": "bad_arguments", "detail": "a: no", "index": 1})
    with misbehaving(bad, stores) as server:
        async with AsyncClient(server.url) as client:
            futures = [client.submit("jobs.add", number) for number in range(3)]
            with pytest.raises(TypeError, match="a: no"):
                await futures[1]
            assert [await client.stored(each) for each in futures[::2]] == ["id-0", "id-1"]
    refused, rest = server.batches
    assert [task["args"] for task in refused.tasks] == [[0], [1], [2]]
    assert [task["args"] for task in rest.tasks] == [[0], [2]]
    assert refused.headers["idempotency-key"] != rest.headers["idempotency-key"]


async def test_a_batch_that_a_queue_has_no_room_for_goes_in_parts() -> None:
    full = said(429, FULL, retry_after="0")
    with misbehaving(full, stores, full, full, stores) as server:
        async with AsyncClient(server.url) as client:
            futures = [client.submit("jobs.add", number) for number in range(4)]
            assert all([await client.stored(future) for future in futures])
    assert [len(batch.tasks) for batch in server.batches] == [4, 2, 2, 1, 1, 1]


def test_a_refusal_of_everything_is_that_of_each() -> None:
    refused = said(401, {"code": "unauthorized", "detail": "no token"})
    with misbehaving(refused) as server, Client(server.url) as client:
        futures = [client.submit("jobs.add", number) for number in range(3)]
        failures = [future.exception(BOUND) for future in futures]
    assert all(isinstance(each, Refused) and each.code == "unauthorized" for each in failures)
    assert len(set(map(id, failures))) == 3


@pytest.mark.parametrize("answer", [said(200, ["<html>"]), said(200, {"ids": ["too", "many"]})])
def test_what_is_no_pooldeck_is_said_to_be_none(answer: bytes) -> None:
    with misbehaving(answer) as server, Client(server.url) as client:
        failure = client.submit("jobs.add", 1).exception(BOUND)
    assert isinstance(failure, ClientError)
    assert "no Pooldeck" in str(failure)


def test_what_speaks_no_http_is_not_reachable() -> None:
    with (
        misbehaving(b"220 mail ready\r\n\r\n") as server,
        Client(server.url, timeout=0.2) as client,
    ):
        assert isinstance(client.submit("jobs.add", 1).exception(BOUND), NotReachable)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_where_nothing_listens_the_error_says_where_that_was() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with Client(url, timeout=0.2) as client:
        failure = client.submit("jobs.add", 1).exception(BOUND)
        assert isinstance(failure, NotReachable)
        assert isinstance(failure, ConnectionError)
        assert url in str(failure)
        with pytest.raises(NotReachable, match=url):
            next(client.tasks())


def test_what_has_not_been_sent_is_taken_back_without_a_request() -> None:
    later = said(503, {"code": "starting", "detail": "soon"}, retry_after="0")
    with misbehaving(*[later] * 3, stores) as server, Client(server.url) as client:
        first = client.submit("jobs.add", 0)
        deadline = time.monotonic() + BOUND
        while not server.batches and time.monotonic() < deadline:
            time.sleep(0.001)
        taken_back, kept = client.submit("jobs.add", 1), client.submit("jobs.add", 2)
        assert taken_back.cancel()
        assert taken_back.cancelled()
        assert first.stored(BOUND)
        assert kept.stored(BOUND)
    assert [task["args"] for batch in server.batches[-1:] for task in batch.tasks] == [[2]]


def test_a_request_that_may_have_done_something_is_not_repeated() -> None:
    with (
        misbehaving(NOTHING) as server,
        Client(server.url) as client,
        pytest.raises(NotReachable),
    ):
        client.request("POST", "/tasks/batch", {"tasks": []})
    assert len(server.batches) == 1


def test_a_server_that_stays_away_is_given_up_after_the_patience() -> None:
    with Client((server := Misbehaving([stores])).url, timeout=0.5) as client:
        future = client.submit("jobs.add", 1)
        assert future.stored(BOUND) == "id-0"
        server.close()
        with pytest.raises(NotReachable, match="the task may go on"):
            future.result(BOUND)


def test_a_closed_client_gives_up_what_a_dead_server_never_took() -> None:
    with misbehaving(said(503, {"code": "starting", "detail": "soon"})) as server:
        client = Client(server.url)
        future = client.submit("jobs.add", 1)
        client.close(0.2)
    with pytest.raises(ClientError):
        future.result(BOUND)
