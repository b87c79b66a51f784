"""`pooldeck host`: what is wrong with what it was told is said in a line."""

from pathlib import Path

import pytest

from pooldeck_server.cli import main

TOKEN = "pdk_a-token-of-the-tests"


@pytest.fixture(autouse=True)
def _told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POOLDECK_SERVER", "127.0.0.1:1")
    monkeypatch.setenv("POOLDECK_TOKEN", TOKEN)
    monkeypatch.delenv("POOLDECK_AUTHORITY", raising=False)


def said(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """Return what the command says that ends at once."""
    assert main(["host", "--pool", "big", *options]) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("variable", ["POOLDECK_SERVER", "POOLDECK_TOKEN"])
def test_what_it_has_to_know_is_asked_for(
    variable: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(variable)

    assert variable in said(capsys)


def test_a_server_on_another_machine_has_to_show_who_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POOLDECK_SERVER", "deck.example:8790")

    assert "POOLDECK_AUTHORITY" in said(capsys)


def test_a_file_with_the_token_that_others_can_read_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "host.toml"
    file.write_text(f'token = "{TOKEN}"\n')
    file.chmod(0o644)

    words = said(capsys, "--config", str(file))
    assert "mode 0600" in words
    assert TOKEN not in words


def test_a_name_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "is no name of a host" in said(capsys, "--name", "a/b")


def test_the_token_is_not_taken_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no such option: --token" in said(capsys, "--token", TOKEN)
