"""`pooldeck.asgi`: the server beside an app, mounted into it."""

import asyncio
import os
import re
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

import pooldeck
from pooldeck.beside.address import Address
from pooldeck.beside.attachment import Attachment
from pooldeck.beside.child import ServerNotStarted
from pooldeck.beside.passing_on import Passing
from tests.functions import beside_functions
from tests.support.beside import BOUND, MODULE, POOLS, result_of
from tests.support.no_tls import NO_TLS, PATIENCE
from tests.support.running_app import app, free_port
from tests.support.waiting import eventually

ME = {"X-User": "me"}
ADD = f"{MODULE}.add"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with app(folder) as (found, _):
        yield found


@pytest.fixture(scope="module")
def http(url: str) -> Iterator[httpx.Client]:
    with closing(
        httpx.Client(base_url=url, headers=ME, timeout=BOUND, trust_env=False, verify=NO_TLS)
    ) as client:
        yield client


def test_nobody_is_let_in_before_the_app_has_said_whom(url: str, folder: Path) -> None:
    answer = httpx.get(
        f"{url}/closed/", headers=ME, trust_env=False, timeout=PATIENCE, verify=NO_TLS
    )

    assert answer.status_code == 403
    assert "allow=" in answer.text
    assert not (folder / "closed").exists()  # nor is a server started for them


@pytest.mark.parametrize("path", ["/deck/", "/deck/api/v1/tasks", "/truthy/", "/deck/healthz"])
def test_whom_the_app_does_not_let_in_sees_nothing(url: str, path: str) -> None:
    assert (
        httpx.get(url + path, trust_env=False, timeout=PATIENCE, verify=NO_TLS).status_code == 403
    )


def test_a_token_is_no_way_around_the_app(url: str, http: httpx.Client, folder: Path) -> None:
    assert http.get("/deck/").status_code == 200  # it has started
    address = Address.read(folder / "deck")
    assert address is not None
    token = {"Authorization": f"Bearer {address.token}"}

    assert (
        httpx.get(
            f"{url}/deck/", headers=token, trust_env=False, timeout=PATIENCE, verify=NO_TLS
        ).status_code
        == 403
    )


def test_the_server_itself_asks_whoever_goes_past_the_app(http: httpx.Client, folder: Path) -> None:
    assert http.get("/deck/").status_code == 200
    address = Address.read(folder / "deck")
    assert address is not None

    assert (
        httpx.get(
            f"{address.url}/api/v1/tasks", trust_env=False, timeout=PATIENCE, verify=NO_TLS
        ).status_code
        == 401
    )


def test_tasks_run_through_the_app(url: str) -> None:
    assert result_of(f"{url}/deck", ADD, 2, 3, headers=ME) == 5


def test_links_redirects_and_scripts_stay_below_the_mount(http: httpx.Client) -> None:
    page = http.get("/deck/tasks").text
    links = re.findall(r'(?:href|src)="(/[^"]*)"', page)

    assert len(links) > 5
    assert [link for link in links if not link.startswith("/deck/")] == []
    assert http.get(next(link for link in links if link.endswith(".css"))).status_code == 200
    body = {"function": ADD, "args": [1, 2]}
    assert http.post("/deck/api/v1/tasks", json=body).headers["Location"].startswith("/deck/api/")


def test_a_form_of_the_apps_own_pages_is_taken_and_one_of_another_site_is_not(
    url: str, http: httpx.Client
) -> None:
    def sent_from(origin: str) -> int:
        body = {"function": ADD, "args": [1, 2]}
        headers = {"Origin": origin}
        return http.post("/deck/api/v1/tasks", json=body, headers=headers).status_code

    assert sent_from(url) == 202
    assert sent_from("http://elsewhere.invalid") == 403
    assert sent_from("null") == 403


def test_the_stream_comes_as_it_is_made(http: httpx.Client) -> None:
    with http.stream("GET", "/deck/api/v1/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert b"event: deck" in next(part for part in stream.iter_raw() if b"event" in part)


def test_a_stream_ends_on_the_server_when_the_browser_goes(http: httpx.Client) -> None:
    def open_streams() -> int:
        found = re.search(
            r"^pooldeck_live_streams (\d+)", http.get("/deck/metrics").text, re.MULTILINE
        )
        assert found is not None
        return int(found[1])

    eventually(lambda: open_streams() == 0, "those of other tests are closed")
    with http.stream("GET", "/deck/api/v1/events") as stream:
        parts = stream.iter_raw()  # it would close the stream if nobody held it
        next(parts)
        eventually(lambda: open_streams() == 1, "the stream is open")
    eventually(lambda: open_streams() == 0, "the stream is closed")


def test_a_large_body_goes_through_in_parts_and_back(http: httpx.Client) -> None:
    text = "x" * 500_000
    body = b'{"function": "%s", "args": ["%s", 1]}' % (ADD.encode(), text.encode())
    parts = (body[start : start + 10_000] for start in range(0, len(body), 10_000))

    answer = http.post(
        "/deck/api/v1/tasks", content=parts, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422  # it is read to its end, and is no integer
    assert answer.json()["code"] == "bad_arguments"


def test_what_a_client_says_of_proxies_is_not_passed_on(http: httpx.Client) -> None:
    forged = {"X-Forwarded-Prefix": "/elsewhere", "X-Forwarded-For": "10.1.2.3"}
    assert 'href="/elsewhere' not in http.get("/deck/tasks", headers=forged).text


def test_a_hop_keeps_its_headers_for_itself(http: httpx.Client) -> None:
    answer = http.get("/deck/tasks", headers={"Connection": "X-Secret", "X-Secret": "1"})

    assert len(answer.headers.get_list("date")) == 1
    assert answer.status_code == 200


def test_the_server_asks_for_its_own_tokens_where_the_app_leaves_that_to_it(url: str) -> None:
    def asked(**headers: str) -> httpx.Response:
        return httpx.get(
            f"{url}/asking/api/v1/tasks",
            headers=headers,
            timeout=BOUND,
            trust_env=False,
            verify=NO_TLS,
        )

    assert asked().status_code == 401
    assert asked(Authorization="Bearer " + "t" * 20).status_code == 200


def test_people_log_in_with_a_token_through_the_app(url: str) -> None:
    with httpx.Client(base_url=url, timeout=BOUND, trust_env=False, verify=NO_TLS) as browser:
        page = browser.get("/asking/", follow_redirects=True)
        assert page.url.path == "/asking/login"
        form = {"token": "t" * 20}
        answer = browser.post("/asking/login", data=form, headers={"Origin": url})
        assert answer.status_code == 303
        assert browser.get("/asking/tasks").status_code == 200
        assert {cookie.path for cookie in browser.cookies.jar} == {"/asking"}


def test_a_server_that_was_killed_is_started_again_by_the_next_request(
    http: httpx.Client, folder: Path
) -> None:
    assert http.get("/deck/readyz").status_code == 200
    before = Address.read(folder / "deck")
    assert before is not None
    os.kill(before.pid, signal.SIGKILL)

    eventually(lambda: http.get("/deck/readyz").status_code == 200, "there is another")
    after = Address.read(folder / "deck")
    assert after is not None
    assert after.pid != before.pid


def test_processes_of_an_app_share_one_server_that_stays_until_the_last_is_killed(
    tmp_path: Path,
) -> None:
    with app(tmp_path) as (first, one), app(tmp_path) as (second, other):
        with ThreadPoolExecutor(6) as threads:  # all of them want it started
            asked = [
                threads.submit(result_of, f"{url}/deck", ADD, 2, 3, headers=ME)
                for url in 3 * [first, second]
            ]
            assert [each.result() for each in asked] == 6 * [5]
        address = Address.read(tmp_path / "deck")
        assert address is not None
        assert (tmp_path / "deck" / "server.log").read_text().count("Pooldeck is at") == 1

        one.kill()  # who has started it
        one.wait()
        assert result_of(f"{second}/deck", ADD, 4, 5, headers=ME) == 9
        assert Address.read(tmp_path / "deck") == address

        other.kill()
        other.wait()
        assert Attachment(tmp_path / "deck").wait_for_end(BOUND)


def test_one_way_to_let_people_in_is_enough() -> None:
    with pytest.raises(ValueError, match="exclude each other"):
        pooldeck.asgi(beside_functions, allow=lambda _: True, access="tokens")
    with pytest.raises(ValueError, match="allow= says who may come in"):
        pooldeck.asgi(beside_functions, access="open")  # type: ignore[arg-type]  # on purpose


@pytest.mark.parametrize(
    ("root", "path", "below"),
    [
        ("/deck", "/deck/tasks", "/tasks?a=%20b"),
        ("/deck", "/tasks", "/tasks?a=%20b"),  # a framework that takes its part away
        ("/api/deck", "/deck/tasks", "/tasks?a=%20b"),  # a proxy that has taken away its own
        ("", "/tasks", "/tasks?a=%20b"),
        ("/deck", "/deck", "/?a=%20b"),
        ("/deck", "/decks/of", "/decks/of?a=%20b"),
    ],
)
async def test_what_is_asked_for_is_what_comes_below_the_mount(
    root: str, path: str, below: str
) -> None:
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).split()[1].decode())
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        await passed_on(f"http://127.0.0.1:{port}", root_path=root, path=path)
    assert asked == [below]


async def passed_on(url: str, **scope: Any) -> list[Any]:
    """Pass a request on as an ASGI server would have it done; return what is answered."""
    sent: list[Any] = []
    messages = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        if messages:
            return messages.pop()
        await asyncio.Event().wait()
        return None

    async def send(message: Any) -> None:
        sent.append(message)

    whole = {"type": "http", "method": "GET", "headers": [], "query_string": b"a=%20b"} | scope
    passing = Passing()
    await passing.pass_on(whole, receive, send, url, "token")
    await passing.close()
    return sent


async def test_a_server_that_does_not_answer_is_a_502_in_words() -> None:
    head, body = await passed_on(f"http://127.0.0.1:{free_port()}", path="/")

    assert head["status"] == 502
    assert b"does not answer" in body["body"]


async def test_an_answer_that_breaks_off_is_not_made_whole() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        sent = await passed_on(f"http://127.0.0.1:{port}", path="/")
    assert sent[-1].get("more_body") is True


async def test_a_start_that_fails_is_said_to_the_log_and_not_tried_by_every_request(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    deck = pooldeck.asgi(MODULE, data=tmp_path, allow=lambda _: True, grace=1)
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "headers": [], "path": "/", "query_string": b""}
    await deck(scope, receive, send)
    log = (tmp_path / "server.log").stat()
    await asyncio.gather(*(deck(scope, receive, send) for _ in range(20)))

    heads = [each["status"] for each in sent if each["type"] == "http.response.start"]
    assert heads == [503] * 21
    assert (tmp_path / "server.log").stat().st_mtime_ns == log.st_mtime_ns
    assert "grace: there is no such setting" in caplog.text
    with pytest.raises(ServerNotStarted, match="no such setting"):
        await deck.start()


async def test_a_client_that_goes_while_it_sends_is_no_error_of_the_apps() -> None:
    arrived = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        arrived.set()
        await reader.read()
        writer.close()

    messages = [{"type": "http.request", "body": b"half", "more_body": True}]

    async def receive() -> Any:
        if messages:
            return messages.pop()
        await arrived.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        raise AssertionError(message)

    passing = Passing()
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        headers = [(b"content-length", b"100")]
        scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
        await asyncio.wait_for(passing.pass_on(scope, receive, send, url, None), BOUND)
        await passing.close()


async def test_whoever_wants_other_settings_than_the_first_is_told_that_they_do_not_count_yet(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = pooldeck.asgi(MODULE, data=tmp_path, pools=POOLS)
    other = pooldeck.asgi(MODULE, data=tmp_path, pools=POOLS, hold_after=7)
    async with first.lifespan():
        async with other.lifespan():
            assert other.url == first.url
        assert "was started with other functions or settings" in caplog.text
    assert Attachment(tmp_path).wait_for_end(BOUND)


async def test_an_app_that_has_ended_its_use_may_begin_anew(tmp_path: Path) -> None:
    deck = pooldeck.asgi(MODULE, data=tmp_path, pools=POOLS)
    for _ in range(2):
        async with deck.lifespan():
            address = Address.read(tmp_path)
            assert address is not None
            headers = {"Authorization": f"Bearer {address.token}"}
            assert result_of(address.url, ADD, 2, 3, headers=headers) == 5
    assert Attachment(tmp_path).wait_for_end(BOUND)
