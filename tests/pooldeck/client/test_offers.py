"""The default client goes to the latest server beside the program."""

from collections.abc import Iterator

import pytest

from pooldeck.client import Client, default_client, use
from pooldeck.client.offers import offer, offered_client, withdraw
from pooldeck.client.places import Place


class _Beside:
    """What is offered, without a server: nothing is sent here."""

    def __init__(self, port: int) -> None:
        self.port = port

    def place(self) -> Place:
        return Place(f"http://127.0.0.1:{self.port}", "token", "a test")


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("POOLDECK_URL", "POOLDECK_PROFILE", "POOLDECK_WORKER"):
        monkeypatch.delenv(name, raising=False)
    before = use(None)
    yield
    use(before)


@pytest.fixture
def beside() -> Iterator[_Beside]:
    server = _Beside(1)
    offer(server)
    yield server
    withdraw(server)


def url_of(client: Client) -> str:
    return client.engine.api.url


@pytest.mark.usefixtures("beside")
def test_the_default_client_goes_to_the_server_beside_the_program() -> None:
    assert url_of(default_client()) == "http://127.0.0.1:1"
    assert default_client() is default_client()


@pytest.mark.usefixtures("beside")
def test_the_latest_counts_and_after_its_end_the_one_before() -> None:
    first = default_client()
    later = _Beside(2)
    offer(later)
    second = default_client()
    assert url_of(second) == "http://127.0.0.1:2"

    withdraw(later)

    assert second.is_closed
    assert default_client() is first


def test_when_it_has_another_place_by_now_it_gets_another_client(beside: _Beside) -> None:
    first = default_client()
    beside.port = 3
    assert url_of(default_client()) == "http://127.0.0.1:3"
    assert default_client() is not first


@pytest.mark.usefixtures("beside")
def test_a_client_that_is_set_counts_before_it() -> None:
    with Client("http://127.0.0.1:4") as client:
        use(client)
        assert default_client() is client
        use(None)
        assert url_of(default_client()) == "http://127.0.0.1:1"


@pytest.mark.usefixtures("beside")
@pytest.mark.parametrize("name", ["POOLDECK_URL", "POOLDECK_PROFILE", "POOLDECK_WORKER"])
def test_variables_count_before_it_and_a_worker_does_not_start_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert offered_client() is not None
    monkeypatch.setenv(name, "another")
    assert offered_client() is None


def test_a_server_that_nobody_keeps_is_not_offered_any_more() -> None:
    server = _Beside(5)
    offer(server)
    del server
    assert offered_client() is None
