"""The settings of logins by OpenID Connect."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pooldeck.inherited import inherited
from pooldeck_server.domain.access import Role
from pooldeck_server.settings import BadSettings, OidcSettings, Settings, read_settings

FILE = """
[oidc]
issuer = "https://id.example.com/realms/acme"
client_id = "pooldeck"

[oidc.groups]
"deck admins" = "admin"
acme = { role = "viewer", functions = ["acme.*"] }
"*" = { role = "viewer", values = true }
"""
LEAST: dict[str, Any] = {
    "issuer": "https://id.example.com",
    "client_id": "pooldeck",
    "groups": {"a": "viewer"},
}


@pytest.fixture(autouse=True)
def _somewhere_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_groups_are_written_with_their_role_or_with_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("pooldeck.toml").write_text(FILE)
    monkeypatch.setenv("POOLDECK_OIDC__CLIENT_SECRET", "from-the-environment")
    oidc = read_settings({}).oidc
    assert oidc is not None
    assert oidc.secret() == "from-the-environment"
    assert "from-the" not in repr(oidc)
    admins, acme, everybody = oidc.grants
    assert (admins.group, admins.role, admins.values) == ("deck admins", Role.ADMIN, True)
    assert (acme.functions, acme.values) == (("acme.*",), False)
    assert everybody.values


def test_logins_by_a_provider_close_the_server_to_all_others() -> None:
    assert Settings().admission == "local"
    assert Settings(oidc=OidcSettings(**LEAST)).admission == "tokens"
    assert Settings(oidc=OidcSettings(**LEAST), host="0.0.0.0").admission == "tokens"


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://id.example.com"},
        {"issuer": "id.example.com"},
        {"issuer": "https://id.example.com/?a=b"},
        {"address": "http://deck.example.com"},
        {"groups": {}},
        {"groups": {"a": "owner"}},
        {"groups": {"a": {"role": "admin", "functions": ["x"]}}},
        {"groups": {"a": {"role": "viewer", "functions": ["x y"]}}},
        {"groups_claim": "preferred_username"},
        {"client_secret": "a", "client_secret_file": "b"},
        {"client_secret": " "},
        {"client_secret_file": "not-there"},
        {"scopes": ["openid", "a b"]},
        {"session_hours": 13},
        {"typo": 1},
    ],
    ids=str,
)
def test_what_would_let_in_others_than_it_seems_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        OidcSettings(**LEAST | wrong)


def test_a_secret_is_in_no_message() -> None:
    Path("pooldeck.toml").write_text(
        FILE.replace("client_id", "client_secret = 12345678\nclient_id")
    )
    with pytest.raises(BadSettings) as caught:
        read_settings({})
    assert "client_secret" in str(caught.value)
    assert "12345678" not in str(caught.value)


def test_a_secret_may_be_in_a_file_and_no_worker_inherits_it() -> None:
    Path("secret").write_text("of-the-client\n")
    assert OidcSettings(**LEAST, client_secret_file="secret").secret() == "of-the-client"
    names = ("POOLDECK_OIDC__CLIENT_SECRET", "pooldeck_oidc__client_secret")
    assert inherited(dict.fromkeys((*names, "PATH"), "x")) == {"PATH": "x"}


@pytest.mark.parametrize(
    "change", [{"issuer": "https://b.example"}, {"client_id": "b"}, {"groups": {"a": "operator"}}]
)
def test_logins_count_for_the_provider_and_the_groups_that_they_were_begun_with(
    change: dict[str, Any],
) -> None:
    first = OidcSettings(**LEAST)
    assert first.origin == OidcSettings(**LEAST, button="B", client_secret="s").origin
    assert first.origin != OidcSettings(**LEAST | change).origin


def test_nothing_of_it_is_imported_where_it_is_not_set() -> None:
    said = "import sys, pooldeck_server.main; print({'joserfc', 'cryptography'} & {*sys.modules})"
    found = subprocess.run([sys.executable, "-c", said], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "set()"
