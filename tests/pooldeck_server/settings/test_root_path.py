"""The path below which a proxy shows the server, and the proxies that are believed."""

from ipaddress import ip_network

import pytest

from pooldeck_server.settings import Settings
from pooldeck_server.settings.errors import BadSettings
from pooldeck_server.settings.reading import read_settings
from pooldeck_server.settings.root_path import read_root_path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", ""),
        ("/", ""),
        ("/deck", "/deck"),
        ("/deck/", "/deck"),
        ("/tools/my.deck_1~b-c", "/tools/my.deck_1~b-c"),
        ("/..deck/...", "/..deck/..."),
    ],
)
def test_a_path_ends_without_a_slash(text: str, path: str) -> None:
    assert read_root_path(text) == path


@pytest.mark.parametrize(
    "text",
    [
        "deck",
        "//elsewhere",
        "/deck//",
        "/deck//x",
        "//",
        "/..",
        "/deck/../x",
        "/./deck",
        "/deck/.",
        "https://elsewhere",
        "/\\elsewhere",
        "\\\\elsewhere",
        '/"><script>',
        "/it's",
        "/a b",
        "/a\tb",
        "/deck\r\nSet-Cookie: a=b",
        "/deck\n",
        "/%2e%2e",
        "/%2F%2Felsewhere",
        "/deck?x",
        "/deck#x",
        "/deck;x",
        "/décor",
        "/" + "x" * 200,
    ],
)
def test_what_could_lead_elsewhere_is_no_path(text: str) -> None:
    with pytest.raises(ValueError, match="such as /deck"):
        read_root_path(text)


def test_proxies_are_addresses_and_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLDECK_TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8,::1")
    networks = ("127.0.0.1/32", "10.0.0.0/8", "::1/128")
    assert Settings().trusted_proxies == tuple(map(ip_network, networks))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POOLDECK_ROOT_PATH", "//elsewhere"),
        ("POOLDECK_TRUSTED_PROXIES", "nginx.example"),
        ("POOLDECK_TRUSTED_PROXIES", "*"),
    ],
)
def test_a_wrong_one_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings) as refused:
        read_settings({})
    assert name in str(refused.value)
