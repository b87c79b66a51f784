"""The settings of hosts: where they dial in, and which pools are on some."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pooldeck_server.settings import BadSettings, HostsSettings, PoolSettings, read_settings
from pooldeck_server.settings.hosts import read_address

TLS: dict[str, Any] = {"certificate": "c.pem", "key": "k.pem"}


@pytest.fixture(autouse=True)
def _somewhere_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_hosts_dial_in_on_loopback_unless_more_is_said() -> None:
    assert HostsSettings().bound == ("127.0.0.1", 8790)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("0.0.0.0:1", ("0.0.0.0", 1)),
        ("deck.example", ("deck.example", 8790)),
        ("[::1]:9", ("::1", 9)),
        ("[::1]", ("::1", 8790)),
    ],
)
def test_an_address_has_a_port_or_the_usual_one(text: str, read: tuple[str, int]) -> None:
    assert read_address(text) == read


@pytest.mark.parametrize("text", ["", "a b:1", "host:", "host:70000", "::1", "tcp://host:1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no address with a port"):
        read_address(text)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"listen": "0.0.0.0:8790"}, "can be reached from other machines"),
        ({"certificate": "c.pem"}, "certificate and key belong together"),
        ({"host_authority": "a.pem"}, "an authority is for TLS"),
        ({"lease_seconds": 2, "renew_seconds": 1}, "is too short for renew_seconds"),
        ({"listen": "nowhere:x"}, "is no address"),
    ],
)
def test_what_would_not_work_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        HostsSettings(**given)


def test_with_a_certificate_other_machines_may_reach_it() -> None:
    assert HostsSettings(listen="0.0.0.0:8790", **TLS).is_tls


@pytest.mark.parametrize(
    ("hosts", "words"),
    [
        ({"engine": "dask"}, "needs the address of its scheduler"),
        ({"engine": "manual", "count": 2}, "count: for the engine dask only"),
        ({"engine": "ray"}, "manual"),
    ],
)
def test_an_engine_gets_what_it_needs_and_nothing_else(hosts: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        PoolSettings(kind="process", size=1, hosts=hosts)


def test_a_pool_on_hosts_says_how_large_it_is_on_each() -> None:
    with pytest.raises(ValidationError, match="say how many slots each host has"):
        PoolSettings(kind="process", hosts={"engine": "manual"})


def test_a_pool_on_hosts_needs_a_place_where_they_dial_in() -> None:
    Path("pooldeck.toml").write_text(
        '[pools.big]\nkind = "process"\nsize = 2\nhosts = { engine = "manual" }\n'
    )
    with pytest.raises(BadSettings, match=r"a pool is on hosts \(big\): add a table \[hosts\]"):
        read_settings({})


def test_a_mistyped_setting_of_hosts_is_named_with_what_was_meant() -> None:
    Path("pooldeck.toml").write_text("[hosts]\nlisten_on = 'x'\n")
    with pytest.raises(BadSettings, match="did you mean listen"):
        read_settings({})
