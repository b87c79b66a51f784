"""Wrong tokens: by program and by form, from one address and from many."""

from collections.abc import Iterator

import pytest

from pooldeck_server.domain.errors import TooManyWrongTokens
from pooldeck_server.web.http.wrong_tokens import WrongTokens
from tests.pooldeck_server.web.conftest import TOKEN
from tests.support.served import Served, served

WRONG = "some other token, long enough too"


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that believes what this machine says of its clients."""
    folder = tmp_path_factory.mktemp("watched")
    with served(folder, token=TOKEN, trusted_proxies="127.0.0.1") as server:
        yield server


def by_program(server: Served, token: str, address: str) -> int:
    headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": address}
    return server.http.get("/api/v1/pools", headers=headers).status_code


def by_form(server: Served, token: str, address: str) -> int:
    headers = {"X-Forwarded-For": address}
    return server.http.post("/login", data={"token": token}, headers=headers).status_code


def test_a_program_may_try_only_so_many_and_the_right_one_passes_all_the_same(
    watched: Served,
) -> None:
    answers = [by_program(watched, WRONG, "192.0.2.1") for _ in range(40)]
    assert answers[0] == 401
    assert 429 in answers
    assert by_program(watched, TOKEN, "192.0.2.1") == 200
    assert by_form(watched, TOKEN, "192.0.2.1") == 303


def test_a_form_may_try_only_so_many_and_the_right_one_passes_all_the_same(
    watched: Served,
) -> None:
    answers = [by_form(watched, WRONG, "192.0.2.2") for _ in range(40)]
    assert answers[0] == 401
    assert 429 in answers
    assert by_form(watched, TOKEN, "192.0.2.2") == 303
    assert by_program(watched, TOKEN, "192.0.2.2") == 200


def test_each_address_has_tries_of_its_own(watched: Served) -> None:
    assert 429 in [by_program(watched, WRONG, "192.0.2.3") for _ in range(40)]
    assert by_program(watched, WRONG, "192.0.2.4") == 401


def test_an_answer_says_how_long_to_wait(watched: Served) -> None:
    headers = {"Authorization": f"Bearer {WRONG}", "X-Forwarded-For": "192.0.2.5"}
    answers = [watched.http.get("/api/v1/pools", headers=headers) for _ in range(40)]
    refused = next(each for each in answers if each.status_code == 429)
    assert refused.json()["code"] == "too_many_wrong_tokens"
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert "192.0.2.5" in refused.json()["detail"]


def test_no_forwarded_address_gives_new_tries_where_no_proxy_is_listed(locked: Served) -> None:
    addresses = [f"192.0.2.{number}" for number in range(40)]
    assert 429 in [by_program(locked, WRONG, address) for address in addresses]
    assert by_program(locked, TOKEN, "192.0.2.1") == 200


def test_an_expired_cookie_is_no_try(watched: Served) -> None:
    headers = {"Cookie": "pooldeck=deck.old.one", "X-Forwarded-For": "192.0.2.6"}
    for _ in range(40):
        assert watched.http.get("/api/v1/pools", headers=headers).status_code == 401


def test_the_log_names_the_address_and_never_the_token(
    watched: Served, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(40):
        by_program(watched, WRONG, "192.0.2.7")
    lines = [line for line in caplog.messages if "192.0.2.7" in line]
    assert 1 <= len(lines) <= 4  # two a minute, and the minute may change
    assert WRONG not in caplog.text


def noted(tokens: WrongTokens, address: str) -> bool:
    """Note a wrong token, and tell whether it was one too many."""
    try:
        tokens.note({"client": (address, 1)})
    except TooManyWrongTokens:
        return True
    return False


def test_all_addresses_of_one_network_of_ipv6_count_together() -> None:
    tokens = WrongTokens()
    assert any(noted(tokens, f"2001:db8:0:1::{number:x}") for number in range(1, 41))
    assert not noted(tokens, "2001:db8:0:2::1")


def test_many_addresses_take_bounded_memory_and_log_little(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tokens = WrongTokens()
    refused = [noted(tokens, f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}") for n in range(30_000)]
    assert refused[-1]  # those that are not told apart any more share their tries
    assert len(tokens) <= 10_001
    assert len(caplog.messages) <= 60
