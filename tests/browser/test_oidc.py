"""Logging in by a real provider of OpenID Connect, which runs in a process of its own."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.no_tls import NO_TLS
from tests.support.programs import started
from tests.support.serving import Serving, serving

SECRET = "the-secret-of-the-client"
PEOPLE = (
    {"sub": "ada", "name": "Ada", "email": "ada@acme.example", "groups": ["deck-admins"]},
    {"sub": "eve", "name": "Eve", "email": "eve@acme.example", "groups": ["others"]},
)


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """Run the provider; by the name localhost, since it is another site than the server then."""
    people = [part for each in PEOPLE for part in ("--user-claims", json.dumps(each))]
    command = [
        sys.executable,
        "-m",
        "oidc_provider_mock",
        "--port",
        "0",
        "--require-nonce",
        *people,
    ]
    with started(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                yield f"http://localhost:{found[1]}"
                return
        raise AssertionError("the provider ended")


@pytest.fixture(scope="module")
def deck(issuer: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("deck")
    (folder / "pooldeck.toml").write_text(
        f"""
        [pools.io]
        kind = "thread"
        size = 1

        [oidc]
        issuer = "{issuer}"
        client_id = "pooldeck"
        only = true

        [oidc.groups]
        deck-admins = "admin"
        """
    )
    environment = {"POOLDECK_OIDC__CLIENT_SECRET": SECRET}
    with serving(folder, environment=environment) as server:
        server.wait_until_ready()
        yield server


@pytest.fixture
def page(browser: Browser, deck: Serving) -> Iterator[Page]:
    context = browser.new_context(base_url=str(deck.client.base_url))
    yield context.new_page()
    context.close()


def test_a_person_logs_in_and_out_by_the_provider(page: Page, issuer: str) -> None:
    page.goto("/tasks?state=failed")
    expect(page.get_by_label("Token")).to_have_count(0)
    page.get_by_role("link", name="Log in with your account").click()
    expect(page).to_have_url(re.compile(re.escape(issuer)))
    page.get_by_role("button", name="ada").first.click()
    expect(page).to_have_url(re.compile(r"/tasks\?state=failed$"))
    expect(page.locator(".who")).to_contain_text("ada@acme.example#")
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(re.compile("/login$"))
    page.goto("/tasks")
    expect(page).to_have_url(re.compile("/login"))


def test_somebody_without_a_role_is_told_who_they_are(page: Page) -> None:
    page.goto("/login")
    page.get_by_role("link", name="Log in with your account").click()
    page.get_by_role("button", name="eve").first.click()
    expect(page.get_by_role("heading")).to_contain_text("You have no access here")
    expect(page.locator("main")).to_contain_text("eve@acme.example")
    page.get_by_role("link", name="Back to the login").click()
    expect(page).to_have_url(re.compile("/login$"))


def log_in(client: httpx.Client, wanted: str) -> httpx.Response:
    away = client.get("/login/oidc", params={"next": wanted}).headers["location"]
    back = httpx.post(away, data={"sub": "ada"}, verify=NO_TLS, timeout=60).headers["location"]
    assert back.startswith(str(client.base_url))
    return client.get(back)


def test_without_a_browser_the_way_is_the_same(deck: Serving) -> None:
    with httpx.Client(base_url=deck.client.base_url, verify=NO_TLS, timeout=60) as client:
        entered = log_in(client, "/pools")
        assert entered.status_code == 200, entered.text
        assert "url=/pools" in entered.text
        assert client.get("/tokens").status_code == 200


def test_the_login_page_takes_no_tokens_if_told_so_and_the_socket_still_lets_in(
    deck: Serving,
) -> None:
    assert 'name="token"' not in deck.client.get("/login").text
    assert deck.client.post("/login", data={"token": "x"}).status_code == 403
    command = [str(Path(sys.executable).with_name("pooldeck")), "token", "create"]
    folder = f"/proc/{deck.process.pid}/cwd"
    made = subprocess.run(
        [*command, "--role", "admin", "--expires", "1h", "me"],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    sent = {"authorization": f"Bearer {made.stdout.strip()}"}
    assert deck.client.get("/api/v1/tokens", headers=sent).status_code == 200


def test_the_log_says_who_came_in_and_no_secret(deck: Serving) -> None:
    with httpx.Client(base_url=deck.client.base_url, verify=NO_TLS, timeout=60) as client:
        log_in(client, "/")
    deck.stop()
    said = "".join(deck.said)
    assert "ada@acme.example#" in said
    assert SECRET not in said
    assert "code=" not in said
