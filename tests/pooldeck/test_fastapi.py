"""`pooldeck.fastapi.Tasks`: stored before the response is sent."""

import socket
from collections.abc import Iterator
from http.server import HTTPServer, SimpleHTTPRequestHandler
from threading import Thread
from time import monotonic
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient

from pooldeck.client import Client, use
from pooldeck.client.errors import ClientError
from pooldeck.client.http import PATIENCE
from pooldeck.fastapi import Tasks
from pooldeck.pytest_plugin import TaskDeck
from tests.functions.plugin_functions import add, echo, fail

pytestmark = pytest.mark.pooldeck_functions("tests.functions.plugin_functions")

app = FastAPI()


@app.post("/orders")
async def order(tasks: Tasks, number: int, word: str = "") -> dict[str, int]:
    tasks.add(add, number, 1)
    tasks.options(tags=["second"]).add(echo, word or "done")
    return {"number": number}


@app.post("/as-before")
async def as_before(tasks: Tasks) -> None:
    tasks.add_task(add, 2, b=3)


@app.post("/no-task")
async def no_task(tasks: Tasks, *, at_once: bool) -> None:
    if at_once:
        await tasks.submit(len, "abc")
    tasks.add(len, "abc")


@app.post("/plain")
def plain(tasks: Tasks, number: Any = 1) -> str:
    tasks.add(add, number, b=2)
    return "taken"


@app.post("/refused")
async def refused(tasks: Tasks) -> str:
    tasks.add(add, 1, 2)
    tasks.add(add, "no number", 2)
    return "taken"


@app.post("/raises")
async def raises(tasks: Tasks) -> None:
    tasks.add(add, 1, 2)
    raise HTTPException(409, "sold out")


@app.post("/fails-later")
async def fails_later(tasks: Tasks) -> str:
    tasks.add(fail, "later")
    return "taken"


@app.post("/at-once")
async def at_once(tasks: Tasks, number: int) -> int:
    future = await tasks.options(priority=5).submit(add, number, 1)
    result: int = await future
    return result


@app.post("/at-once-refused")
async def at_once_refused(tasks: Tasks) -> None:
    await tasks.submit("nothing.there")


@pytest.fixture
def http() -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


@pytest.fixture(params=["deck_inline", "deck_server"])
def deck(request: pytest.FixtureRequest) -> TaskDeck:
    found: TaskDeck = request.getfixturevalue(request.param)
    return found


def test_what_an_endpoint_adds_is_stored_when_it_has_answered(
    deck: TaskDeck, http: TestClient
) -> None:
    answer = http.post("/orders", params={"number": 6})

    assert answer.json() == {"number": 6}
    assert [each["args"] for each in deck.tasks] == [[6, 1], ["done"]]
    assert deck.tasks[1]["tags"] == ["second"]
    assert [each["result"] for each in deck.drain()] == [7, "done"]


def test_endpoints_that_are_no_coroutines_may_add_too(deck: TaskDeck, http: TestClient) -> None:
    assert http.post("/plain").json() == "taken"
    assert deck.drain()[0]["result"] == 3


def test_tasks_are_added_by_the_name_of_background_tasks_too(
    deck_inline: TaskDeck, http: TestClient
) -> None:
    assert http.post("/as-before").status_code == 200
    assert deck_inline.drain()[0]["result"] == 5


@pytest.mark.parametrize("at_once", [False, True])
def test_a_function_that_is_no_task_is_the_mistake_of_the_app(
    deck_inline: TaskDeck,
    http: TestClient,
    at_once: bool,
) -> None:
    with pytest.raises(TypeError, match="put @task above it"):
        http.post("/no-task", params={"at_once": at_once})
    assert deck_inline.tasks == []


def test_a_refusal_is_the_answer_and_in_the_log_and_nothing_is_stored(
    deck: TaskDeck, http: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = http.post("/refused")

    assert answer.status_code == 422
    assert "a task was refused" in answer.json()["detail"]
    assert "the tasks of an endpoint were refused: " in caplog.text
    assert deck.tasks == []


def test_an_endpoint_that_fails_submits_nothing(deck: TaskDeck, http: TestClient) -> None:
    assert http.post("/raises").status_code == 409
    assert deck.tasks == []


def test_a_task_can_be_submitted_at_once_and_waited_for(deck: TaskDeck, http: TestClient) -> None:
    assert http.post("/at-once", params={"number": 4}).json() == 5
    assert deck.tasks[0]["priority"] == 5
    assert http.post("/at-once-refused").status_code == 422


def test_where_no_server_answers_the_endpoint_says_try_again_and_the_log_says_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with Client(url, timeout=0.2) as client, TestClient(app) as http:
        before = use(client)
        try:
            answer = http.post("/orders", params={"number": 1})
        finally:
            use(before)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert f"could not be submitted: no server answers at {url}" in caplog.text


def test_an_endpoint_does_not_wait_as_long_as_other_programs_for_a_server_that_has_gone() -> None:
    with HTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as server:
        client = Client(f"http://127.0.0.1:{server.server_port}")
        answering = Thread(target=server.handle_request)
        answering.start()
        with pytest.raises(ClientError):
            client.task("it has answered: no such page")
        answering.join()
    began = monotonic()
    with client, TestClient(app) as http:
        before = use(client)
        try:
            assert http.post("/orders", params={"number": 1}).status_code == 503
        finally:
            use(before)
    assert monotonic() - began < PATIENCE


async def test_the_response_is_sent_after_the_commit(deck_inline: TaskDeck) -> None:
    seen: list[tuple[str, int]] = []

    async def send(message: Any) -> None:
        seen.append((message["type"], len(deck_inline.tasks)))

    async def watched(scope: Any, receive: Any, _: Any) -> None:
        await app(scope, receive, send)

    transport = httpx.ASGITransport(watched)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as http:
        with pytest.raises(AssertionError):  # the transport has got no answer itself
            await http.post("/orders", params={"number": 1})
    assert seen[0] == ("http.response.start", 2)


def test_what_fails_later_is_not_the_endpoints(deck: TaskDeck, http: TestClient) -> None:
    assert http.post("/fails-later").status_code == 200
    assert deck.drain()[0]["state"] == "failed"


def test_the_description_of_the_api_knows_nothing_of_tasks() -> None:
    parameters = app.openapi()["paths"]["/orders"]["post"]["parameters"]
    assert [each["name"] for each in parameters] == ["number", "word"]
