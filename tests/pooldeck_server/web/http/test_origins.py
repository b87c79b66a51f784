"""By which name the server may be asked, and by pages of which origin."""

import pytest

from pooldeck_server.domain.errors import Forbidden, WrongHost
from pooldeck_server.settings import Settings
from pooldeck_server.web.http.origins import Hosts
from tests.support.served import WEB_FUNCTIONS, Served

CHOSEN = Hosts(Settings(allowed_hosts=("Deck.example", "other.example:8443")))
CROSS_SITE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
READS = ["/api/v1/events", "/api/v1/tasks", "/metrics", "/openapi.json", "/", "/tasks", "/chart"]


@pytest.mark.parametrize("host", [b"deck.example", b"DECK.example:1", b"other.example:8443"])
def test_chosen_names_pass(host: bytes) -> None:
    CHOSEN.check_host({b"host": host})


@pytest.mark.parametrize("host", [b"other.example", b"a.deck.example", b"deck.example.evil"])
def test_other_names_do_not(host: bytes) -> None:
    with pytest.raises(WrongHost):
        CHOSEN.check_host({b"host": host})


@pytest.mark.parametrize(("host", "name"), [("127.0.0.2", b"127.0.0.2:1"), ("::1", b"[::1]:1")])
def test_the_address_that_it_listens_at_is_a_name(host: str, name: bytes) -> None:
    Hosts(Settings(host=host)).check_host({b"host": name})


@pytest.mark.parametrize("host", ["pooldeck_upstream", "deck.example"])
def test_a_proxys_name_for_the_server_is_refused_with_what_to_write(
    server: Served, host: str
) -> None:
    answer = server.http.get("/", headers={"Host": host})
    assert (answer.status_code, answer.json()["code"]) == (421, "wrong_host")
    said = answer.json()["detail"]
    assert f'allowed_hosts = ["{host}"]' in said
    assert f"POOLDECK_ALLOWED_HOSTS={host}" in said
    assert "let it send the Host that it was asked for" in said


@pytest.mark.parametrize("host", ["", "a b", 'x"], y=["'])
def test_what_is_no_name_is_not_proposed_as_one(server: Served, host: str) -> None:
    answer = server.http.get("/", headers={"Host": host})
    assert answer.status_code == 421
    assert "allowed_hosts" not in answer.json()["detail"]


def test_a_form_behind_a_proxy_that_hides_the_host_is_refused_with_what_to_write(
    server: Served,
) -> None:
    headers = {"Host": "127.0.0.1:8000", "Origin": "https://deck.example:8443"}
    headers["Sec-Fetch-Site"] = "same-origin"
    answer = server.http.post(f"/functions/{WEB_FUNCTIONS}.add", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert 'allowed_hosts = ["deck.example:8443"]' in answer.json()["detail"]
    Hosts(Settings(allowed_hosts=("deck.example:8443",))).check_origin(
        {b"host": b"127.0.0.1:8000", b"origin": b"https://deck.example:8443"}
    )


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("deck.example", "http://deck.example"),
        ("deck.example", "https://DECK.example"),
        ("deck.example:443", "https://deck.example"),
        ("deck.example:80", "http://deck.example"),
        ("deck.example:9000", "http://deck.example:9000"),
        ("127.0.0.1:8000", "https://deck.example"),  # a proxy that hides the Host
        ("127.0.0.1:8000", "https://other.example:8443"),
        ("[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_a_page_of_this_origin_may_write(host: str, origin: str) -> None:
    CHOSEN.check_origin({b"host": host.encode(), b"origin": origin.encode()})


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("deck.example", "http://deck.example:9999"),
        ("deck.example:9999", "http://deck.example:8888"),
        ("deck.example:9999", "https://deck.example:9998"),
        ("127.0.0.1:8000", "http://127.0.0.1:8001"),
        ("127.0.0.1:8000", "http://localhost:8000"),
        ("127.0.0.1:8000", "https://other.example"),
        ("127.0.0.1:8000", "https://evil.example"),
        ("deck.example", "null"),
        ("deck.example", "deck.example"),
        ("deck.example", "ftp://deck.example"),
        ("deck.example", "https://deck.example.evil.example"),
    ],
)
def test_a_page_of_another_port_or_name_may_not(host: str, origin: str) -> None:
    headers = {b"host": host.encode(), b"origin": origin.encode()}
    with pytest.raises(Forbidden):
        CHOSEN.check_origin(headers)


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_elsewhere_cannot_make_a_browser_read(server: Served, path: str, site: str) -> None:
    answer = server.http.get(path, headers={**CROSS_SITE, "Sec-Fetch-Site": site})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("path", READS)
def test_an_older_browser_says_it_by_the_origin(server: Served, path: str) -> None:
    answer = server.http.get(path, headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/", "/tasks"])
def test_a_page_elsewhere_may_lead_to_a_page_but_not_frame_it(server: Served, path: str) -> None:
    led = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    document = {**led, "Sec-Fetch-Dest": "document"}
    assert server.http.get(path, headers=document).status_code == 200
    assert server.http.get(path, headers={**led, "Sec-Fetch-Dest": "iframe"}).status_code == 403
    assert server.http.get("/api/v1/tasks", headers=document).status_code == 403


def test_own_pages_and_programs_read_all(server: Served) -> None:
    own = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
    for path in READS:
        if path != "/api/v1/events":
            assert server.http.get(path, headers=own).status_code == 200
            assert server.http.get(path).status_code == 200
