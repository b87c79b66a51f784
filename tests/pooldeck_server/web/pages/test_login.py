"""Logging in with a browser."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from tests.pooldeck_server.web.conftest import TOKEN
from tests.support.no_tls import NO_TLS, PATIENCE
from tests.support.served import Served, served


@pytest.fixture
def browser(locked: Served) -> Iterator[httpx.Client]:
    """A client that keeps cookies."""
    with httpx.Client(
        base_url=f"http://127.0.0.1:{locked.port}", timeout=30, verify=NO_TLS
    ) as client:
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


def test_the_cookie_of_an_encrypted_page_stays_encrypted(tmp_path: Path) -> None:
    with served(tmp_path, token=TOKEN, trusted_proxies="127.0.0.1") as server:
        behind_proxy = {"X-Forwarded-Proto": "https"}
        response = server.http.post("/login", data={"token": TOKEN}, headers=behind_proxy)
        assert "secure" in response.headers["set-cookie"].lower()


def test_logging_out_takes_the_cookie_away(browser: httpx.Client) -> None:
    browser.post("/login", data={"token": TOKEN})
    assert browser.post("/logout").status_code == 303
    assert browser.get("/").status_code == 303


def test_after_logging_out_the_cookie_is_worth_nothing_and_others_are_not_touched(
    browser: httpx.Client,
) -> None:
    browser.post("/login", data={"token": TOKEN})
    copied = dict(browser.cookies)
    with httpx.Client(
        base_url=browser.base_url, cookies=copied, timeout=PATIENCE, verify=NO_TLS
    ) as thief:
        assert thief.get("/api/v1/pools").status_code == 200

        with httpx.Client(base_url=browser.base_url, timeout=30, verify=NO_TLS) as elsewhere:
            elsewhere.post("/login", data={"token": TOKEN})
            browser.post("/logout")

            assert thief.get("/api/v1/pools").status_code == 401
            assert elsewhere.get("/api/v1/pools").status_code == 200


def test_a_second_login_ends_the_session_of_the_first(browser: httpx.Client) -> None:
    browser.post("/login", data={"token": TOKEN})
    first = dict(browser.cookies)
    browser.post("/login", data={"token": TOKEN})

    assert browser.get("/api/v1/pools").status_code == 200
    with httpx.Client(
        base_url=browser.base_url, cookies=first, timeout=PATIENCE, verify=NO_TLS
    ) as before:
        assert before.get("/api/v1/pools").status_code == 401


def test_a_live_stream_ends_when_its_browser_logs_out(browser: httpx.Client) -> None:
    browser.post("/login", data={"token": TOKEN})
    with browser.stream("GET", "/api/v1/events") as stream:
        parts = stream.iter_bytes()
        assert b"retry" in next(parts)
        browser.post("/logout")
        assert b"event: deck" in b"".join(parts)  # and then it is over


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


def test_where_everybody_comes_in_there_is_no_login(tmp_path: Path) -> None:
    with served(tmp_path, access="open") as server:
        assert server.http.get("/login").headers["location"] == "/"
        assert server.http.post("/login", data={"token": "x"}).headers["location"] == "/"
        assert server.http.get("/login", params={"once": "x"}).headers["location"] == "/"


def test_where_only_its_own_user_comes_in_the_page_says_how_others_do(server: Served) -> None:
    form = server.http.get("/login")
    assert form.status_code == 200
    assert "pooldeck link" in form.text
    assert server.http.post("/login", data={"token": "x"}).status_code == 401


def test_where_tokens_are_asked_for_no_link_lets_in(locked: Served) -> None:
    form = locked.http.get("/login", params={"once": "pdk_something"})
    assert (form.status_code, "set-cookie" in form.headers) == (200, False)
    assert "pooldeck link" not in form.text


def test_a_login_by_a_link_ends_when_others_than_the_own_user_are_let_in(tmp_path: Path) -> None:
    with served(tmp_path) as local, by_proxy(local) as one, by_proxy(local) as other:
        assert local.app.server.links is not None
        assert one.get(local.app.server.links.make()).headers["location"] == "/"
        token = (tmp_path / "authorization").read_text().split()[-1]
        assert other.post("/login", data={"token": token}).status_code == 303
        assert (status(local, one), status(local, other)) == (200, 200)
    with served(tmp_path) as again:
        assert (status(again, one), status(again, other)) == (200, 303)  # the token is no more
    with served(tmp_path, access="tokens") as closed:
        assert (status(closed, one), status(closed, other)) == (303, 303)


def by_proxy(server: Served, cookies: Mapping[str, str] | None = None) -> httpx.Client:
    """Return a browser that is not known as the own user's."""
    base = f"http://127.0.0.1:{server.port}"
    return httpx.Client(
        base_url=base,
        headers={"Via": "1.1 x"},
        cookies=dict(cookies or {}),
        timeout=30,
        verify=NO_TLS,
    )


def status(server: Served, browser: httpx.Client) -> int:
    """Return what a browser gets from a server with the cookies that it has."""
    with by_proxy(server, dict(browser.cookies)) as asking:
        return asking.get("/tasks").status_code


def test_without_a_provider_there_is_no_such_login(locked: Served) -> None:
    assert locked.http.get("/login/oidc").status_code == 404
    assert locked.http.get("/login/oidc/callback").status_code == 404
    assert "/login/oidc" not in locked.http.get("/login").text
