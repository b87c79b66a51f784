"""The page of the named tokens, as an admin uses it."""

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.pooldeck_server.web.conftest import TOKEN
from tests.support.no_tls import NO_TLS
from tests.support.served import Served


@pytest.fixture
def admin(locked: Served) -> Iterator[httpx.Client]:
    """A client that is logged in with the server's token."""
    with httpx.Client(
        base_url=f"http://127.0.0.1:{locked.port}", timeout=30, verify=NO_TLS
    ) as client:
        client.post("/login", data={"token": TOKEN})
        yield client


def made(admin: httpx.Client, **fields: str) -> httpx.Response:
    given = {"name": "ann", "role": "viewer", "expires": "90d", "functions": "", "pools": ""}
    return admin.post("/tokens", data=given | fields)


def test_a_token_is_made_shown_once_and_revoked(locked: Served, admin: httpx.Client) -> None:
    page = made(admin)
    [secret] = re.findall(r"pdk_[\w-]+", page.text)
    assert secret not in admin.get("/tokens").text
    bearer = {"Authorization": f"Bearer {secret}"}
    assert locked.http.get("/api/v1/pools", headers=bearer).status_code == 200

    assert "Revoke the token ann?" in admin.get("/tokens/ann/revoke").text
    done = admin.post("/tokens/ann/revoke", follow_redirects=True)

    assert "It was revoked" in done.text
    assert ">ann<" not in done.text
    assert locked.http.get("/api/v1/pools", headers=bearer).status_code in {
        401,
        429,
    }  # as many were wrong already
    assert admin.get("/tokens/ann/revoke").status_code == 404


def test_what_is_wrong_is_said_and_what_was_typed_stays(admin: httpx.Client) -> None:
    page = made(admin, name="two words", functions="acme.*")
    assert page.status_code == 422
    assert 'value="two words"' in page.text
    assert 'value="acme.*"' in page.text
    assert "pdk_" not in page.text


def test_a_page_is_a_page_in_chinese_too(admin: httpx.Client) -> None:
    page = admin.get("/tokens", headers={"Accept-Language": "zh-Hans"})
    assert "创建令牌" in page.text
