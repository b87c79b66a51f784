"""Logging in with a browser."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pooldeck_server.web.http.credentials import Credentials
from tests.pooldeck_server.web.conftest import TOKEN
from tests.support.served import Served, served


@pytest.fixture
def browser(locked: Served) -> Iterator[httpx.Client]:
    """A client that keeps cookies."""
    with httpx.Client(base_url=f"http://127.0.0.1:{locked.port}", timeout=30) as client:
        yield client


def test_a_page_leads_to_the_login_and_back(browser: httpx.Client) -> None:
    sent_away = browser.get("/tasks?state=failed&tag=a%26b")
    assert sent_away.status_code == 303
    form = browser.get(sent_away.headers["location"])
    assert form.status_code == 200
    assert 'name="token"' in form.text
    wanted = httpx.URL(sent_away.headers["location"]).params["next"]
    entered = browser.post("/login", data={"token": TOKEN, "next": wanted})
    assert entered.status_code == 303
    assert entered.headers["location"] == "/tasks?state=failed&tag=a%26b"
    assert browser.get("/tasks?state=failed").status_code == 200
    assert browser.get("/api/v1/pools").status_code == 200


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(browser: httpx.Client) -> None:
    cookie = browser.post("/login", data={"token": TOKEN}).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie
    assert "secure" not in cookie
    assert TOKEN not in cookie


def test_the_cookie_of_an_encrypted_page_stays_encrypted(browser: httpx.Client) -> None:
    behind_proxy = {"X-Forwarded-Proto": "https"}
    response = browser.post("/login", data={"token": TOKEN}, headers=behind_proxy)
    assert "secure" in response.headers["set-cookie"].lower()


def test_logging_out_takes_the_cookie_away(browser: httpx.Client) -> None:
    browser.post("/login", data={"token": TOKEN})
    assert browser.post("/logout").status_code == 303
    assert browser.get("/").status_code == 303


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "evil",
        "",
        "/a\r\nSet-Cookie: x=1",
    ],
)
def test_the_login_never_leads_away(browser: httpx.Client, wanted: str) -> None:
    response = browser.post("/login", data={"token": TOKEN, "next": wanted})
    assert response.headers["location"] == "/"


def test_wrong_tokens_are_soon_not_even_looked_at(tmp_path: Path) -> None:
    with served(tmp_path, token=TOKEN) as server:
        answers = [
            server.http.post("/login", data={"token": "wrong"}).status_code for _ in range(40)
        ]
        assert answers[0] == 401
        assert 429 in answers
        first = answers.index(429)
        assert set(answers[:first]) == {401}
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        assert server.http.get("/api/v1/pools", headers=bearer).status_code == 200


def test_without_a_token_there_is_no_login(server: Served) -> None:
    assert server.http.get("/login").headers["location"] == "/"
    assert server.http.post("/login", data={"token": "x"}).headers["location"] == "/"


def test_a_cookie_is_worth_nothing_with_another_token() -> None:
    cookie = Credentials(TOKEN).new_cookie()
    assert Credentials(TOKEN).is_cookie(cookie)
    assert not Credentials(TOKEN + "!").is_cookie(cookie)
    assert not Credentials(TOKEN).is_cookie(cookie[:-1])
    assert not Credentials(TOKEN).is_cookie("")
