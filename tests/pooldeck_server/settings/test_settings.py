"""Where settings come from, which of them wins, and which are refused."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pooldeck.cpus import usable_cpus
from pooldeck_server.domain.errors import StartupError
from pooldeck_server.settings import PoolSettings, Settings


@pytest.fixture(autouse=True)
def _somewhere_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_a_file_there_are_two_pools() -> None:
    settings = Settings()
    assert list(settings.pools) == ["io", "cpu"]
    assert settings.pools["io"].slots == min(32, usable_cpus() + 4)
    assert settings.pools["cpu"].slots == usable_cpus()
    assert settings.pool_kinds == {"io": "thread", "cpu": "process"}


def test_only_processes_have_a_spare_worker_unless_it_is_switched_off() -> None:
    pools = {
        "io": PoolSettings(kind="thread"),
        "bare": PoolSettings(kind="thread", spare=0),
        "cpu": PoolSettings(kind="process"),
        "lean": PoolSettings(kind="process", spare=0),
        "ample": PoolSettings(kind="process", spare=3),
    }
    assert {name: pool.spares for name, pool in pools.items()} == {
        "io": 0,
        "bare": 0,
        "cpu": 1,
        "lean": 0,
        "ample": 3,
    }


def test_memory_is_set_in_mebibytes() -> None:
    assert PoolSettings(kind="process", max_memory_mb=200).max_memory_bytes == 200 * 2**20


def test_the_pools_of_the_file_replace_the_default_two() -> None:
    Path("pooldeck.toml").write_text('[pools.only]\nkind = "thread"\nsize = 3\n')
    settings = Settings()
    assert list(settings.pools) == ["only"]
    assert settings.pools["only"].slots == 3
    assert settings.pool_kinds == {"only": "thread"}


def test_the_file_is_beaten_by_variables_and_those_by_the_command_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("pooldeck.toml").write_text("port = 1\ngrace_seconds = 1\nboot_seconds = 1\n")
    monkeypatch.setenv("POOLDECK_GRACE_SECONDS", "2")
    monkeypatch.setenv("POOLDECK_BOOT_SECONDS", "2")
    settings = Settings(boot_seconds=3)
    assert (settings.port, settings.grace_seconds, settings.boot_seconds) == (1, 2, 3)


def test_one_value_of_a_pool_can_be_set_by_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLDECK_POOLS__CPU__SIZE", "7")
    settings = Settings()
    assert settings.pools["cpu"] == PoolSettings(kind="process", size=7)
    assert list(settings.pools) == ["io", "cpu"]


def test_another_file_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("other.toml").write_text('functions = ["acme.jobs"]\n')
    assert Settings(config=Path("other.toml")).functions == ("acme.jobs",)
    monkeypatch.setenv("POOLDECK_CONFIG", "other.toml")
    assert Settings().functions == ("acme.jobs",)
    with pytest.raises(StartupError, match=r"missing\.toml does not exist"):
        Settings(config=Path("missing.toml"))


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLDECK_FUNCTIONS", "acme.jobs, acme.more ,")
    monkeypatch.setenv("POOLDECK_ALLOWED_HOSTS", "deck.example")
    settings = Settings()
    assert settings.functions == ("acme.jobs", "acme.more")
    assert settings.allowed_hosts == ("deck.example",)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"port": 70000}, "65535"),
        ({"prot": 80}, "prot"),
        ({"durability": "some"}, "durability"),
        ({"pools": {"Upper": {"kind": "thread"}}}, "pools"),
        ({"pools": {"a": {"kind": "fibre"}}}, "kind"),
        ({"pools": {"a": {"kind": "thread", "size": 0}}}, "size"),
        ({"pools": {"a": {"kind": "thread", "spare": 1}}}, "spare: a thread pool is one worker"),
        ({"pools": {"a": {"kind": "process", "spare": -1}}}, "spare"),
        ({"pools": {"a": {"kind": "process", "max_memory_mb": -1}}}, "max_memory_mb"),
        ({"hold_after": -1}, "hold_after"),
        ({"hold_seconds": 0}, "hold_seconds"),
        ({"pools": {"a": {"kind": "process", "initializer": "nodots"}}}, "initializer"),
        ({"token": "short"}, "16 characters"),
        ({"token": "0123456789abcdef "}, "has a space"),
        ({"token": " 0123456789abcdef"}, "has a space"),
        ({"token": "01234567 89abcdef"}, "has a space"),
        ({"token": "0123456789abcdef\n"}, "a line break"),
        ({"token": "0123456789abcdef\x7f"}, "letters, digits and signs of ASCII"),
        ({"token": "0123456789abcdef\u00e9"}, "letters, digits and signs of ASCII"),
        ({"host": "0.0.0.0"}, "set POOLDECK_TOKEN"),
        ({"host": "0.0.0.0", "access": "open"}, "set POOLDECK_TOKEN"),
        ({"access": "closed"}, "local"),
        ({"limits": {"depth": 0}}, "depth"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Settings(**given)


@pytest.mark.parametrize("access", ["local", "open", "tokens"])
def test_who_sets_a_token_has_chosen_tokens(access: Any) -> None:
    assert Settings().admission == "local"
    assert Settings(access=access).admission == access
    assert Settings(access=access, token="0123456789abcdef").admission == "tokens"


def test_a_file_without_any_pool_is_refused() -> None:
    Path("pooldeck.toml").write_text("[pools]\n")
    with pytest.raises(ValidationError, match="pools"):
        Settings()


def test_an_open_address_needs_a_token() -> None:
    settings = Settings(host="0.0.0.0", token="0123456789abcdef")
    assert not settings.is_loopback
    assert "0123456789abcdef" not in repr(settings)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::1"])
def test_loopback_needs_none(host: str) -> None:
    assert Settings(host=host).is_loopback


def test_settings_are_fixed() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]  # that it is refused is the point
