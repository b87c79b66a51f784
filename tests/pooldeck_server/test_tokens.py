"""`pooldeck token`, against a real server."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pooldeck_server.cli import main
from tests.support.served import Served, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that nobody can enter yet."""
    with served(tmp_path_factory.mktemp("shut"), access="tokens") as running:
        yield running


def token(server: Served, action: str, *arguments: str) -> int:
    return main(["token", action, "--data", str(server.settings.data), *arguments])


def test_without_a_token_nothing_is_open_and_the_socket_lets_the_first_admin_in(
    server: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert server.http.get("/api/v1/pools").status_code == 401
    assert server.http.get("/").status_code == 303

    assert token(server, "create", "--role", "admin", "--expires", "1y", "ann") == 0

    said = capsys.readouterr()
    [secret] = said.out.splitlines()
    assert "ann: admin, until" in said.err
    assert secret not in said.err
    bearer = {"Authorization": f"Bearer {secret}"}
    assert server.http.get("/api/v1/pools", headers=bearer).status_code == 200
    [found] = server.http.get("/api/v1/tokens", headers=bearer).json()["items"]
    assert (found["name"], found["created_by"]) == ("ann", "the command line")

    assert token(server, "revoke", "ann") == 0
    assert server.http.get("/api/v1/pools", headers=bearer).status_code == 401


def test_a_list_says_what_each_may_and_shows_no_secret(
    server: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    limits = ("--function", "acme.*", "--function", "shop.render", "--pool", "io")
    assert token(server, "create", "--role", "operator", *limits, "ci") == 0
    assert token(server, "create", "--role", "viewer", "--values", "--expires", "never", "bo") == 0
    capsys.readouterr()
    assert token(server, "list") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("bo: viewer with values, without an end; made by the command line")
    assert second.startswith("ci: operator, only acme.* shop.render io, until ")
    assert second.endswith("never used")
    assert "pdk_" not in first + second


def test_with_json_it_prints_what_the_api_has(
    server: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert token(server, "create", "--role", "admin", "--json", "json") == 0
    made = json.loads(capsys.readouterr().out)
    bearer = {"Authorization": f"Bearer {made['secret']}"}
    listed = server.http.get("/api/v1/tokens", headers=bearer).json()
    assert token(server, "list", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in said["items"]] == [each["name"] for each in listed["items"]]
    assert made["token"].keys() == listed["items"][0].keys()
    assert token(server, "revoke", "json", "--json") == 0
    assert json.loads(capsys.readouterr().out)["name"] == "json"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("create", "--role", "viewer", "two words"), "name"),
        (("create", "--role", "viewer", "--expires", "soon", "x"), "expires"),
        (("create", "--role", "viewer", "--function", "a b", "x"), "functions"),
        (("create", "--role", "admin", "--pool", "io", "x"), "an admin can make a token"),
        (("create", "--role", "viewer", "owner"), "the server's own word"),
        (("revoke", "nobody"), "there is no token nobody"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    server: Served, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    assert token(server, *arguments) == 1
    said = capsys.readouterr()
    assert said.out == ""
    [line] = said.err.splitlines()
    assert line.startswith("pooldeck: ")
    assert words in line


def test_a_token_of_an_open_server_comes_with_a_word_about_that(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with served(tmp_path, access="open") as server:
        assert token(server, "create", "--role", "viewer", "bo") == 0
        assert 'access = "tokens"' in capsys.readouterr().err
        assert server.http.get("/api/v1/pools").status_code == 200  # nobody is locked out by it


def test_where_no_server_runs_it_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        assert main(["token", "list", "--data", str(folder)]) == 1
        [line] = capsys.readouterr().err.splitlines()
        assert f"no server answers at {folder}/pooldeck.sock: start it" in line


def test_a_token_and_its_login_outlive_a_restart_and_a_revocation_ends_both(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with served(tmp_path, access="tokens") as server:
        assert token(server, "create", "--role", "viewer", "bo") == 0
        secret = capsys.readouterr().out.strip()
        assert server.http.post("/login", data={"token": secret}).status_code == 303
        cookies = dict(server.http.cookies)
        assert server.http.get("/pools").status_code == 200
    with served(tmp_path, access="tokens") as server:
        server.http.cookies.update(cookies)
        assert server.http.get("/pools").status_code == 200
        assert token(server, "revoke", "bo") == 0
        assert server.http.get("/pools").status_code == 303
        assert server.http.post("/login", data={"token": secret}).status_code == 401
