"""The files by which the server's own user gets in: for him alone, and gone with the server."""

import os
import stat
from pathlib import Path

import msgspec
import pytest

from pooldeck.client.places import LocalServer, find_place
from pooldeck_server.runtime.access.own_files import OwnFiles
from tests.support.other_users import NOBODY, needs_root

URL = "http://127.0.0.1:8765"


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("POOLDECK_URL", "POOLDECK_TOKEN", "POOLDECK_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return folder / "pooldeck"


def files(data: Path, token: str = "secret", url: str = URL) -> OwnFiles:
    data.mkdir(exist_ok=True)
    return OwnFiles(LocalServer(url, token, os.getpid(), str(data)))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_both_are_for_this_user_alone_and_a_client_finds_the_token(
    tmp_path: Path, runtime: Path
) -> None:
    written = files(tmp_path / "data")
    written.write()
    header, place = tmp_path / "data" / "authorization", runtime / "8765.json"
    assert header.read_text() == "Authorization: Bearer secret\n"
    assert [mode(header), mode(place), mode(runtime)] == [0o600, 0o600, 0o700]
    assert find_place(URL).token == "secret"
    written.remove()
    assert not header.exists()
    assert not place.exists()
    assert find_place(URL).token is None


def test_what_an_earlier_server_left_is_replaced_whatever_it_is(
    tmp_path: Path, runtime: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    runtime.mkdir(mode=0o755)
    (runtime / "8765.json").symlink_to(elsewhere)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "authorization").write_text("stale")
    files(tmp_path / "data").write()
    assert elsewhere.read_text() == "mine"
    assert not (runtime / "8765.json").is_symlink()
    assert mode(runtime) == 0o700
    assert mode(tmp_path / "data" / "authorization") == 0o600
    assert find_place(URL).token == "secret"


def test_what_killed_servers_have_left_goes_with_the_next_start(
    tmp_path: Path, runtime: Path
) -> None:
    child = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(child, 0)
    for port, pid in ((1, child), (2, os.getpid())):
        left = LocalServer(f"http://127.0.0.1:{port}", "token", pid, "data")
        runtime.mkdir(exist_ok=True)
        (runtime / f"{port}.json").write_bytes(msgspec.json.encode(left))
        (runtime / f"{port}.json").chmod(0o600)
    files(tmp_path / "data").write()
    assert sorted(path.name for path in runtime.iterdir()) == ["2.json", "8765.json"]


def test_what_another_server_has_written_since_is_left_alone(tmp_path: Path, runtime: Path) -> None:
    first, second = files(tmp_path / "a", "one"), files(tmp_path / "b", "two")
    first.write()
    second.write()
    first.remove()
    assert msgspec.json.decode((runtime / "8765.json").read_bytes())["token"] == "two"
    assert not (tmp_path / "a" / "authorization").exists()


def test_a_runtime_folder_that_is_a_link_is_not_followed(tmp_path: Path, runtime: Path) -> None:
    (tmp_path / "other").mkdir()
    runtime.symlink_to(tmp_path / "other")
    files(tmp_path / "data").write()
    assert list((tmp_path / "other").iterdir()) == []
    assert (tmp_path / "data" / "authorization").exists()


@needs_root
def test_a_runtime_folder_of_another_user_is_not_used(tmp_path: Path, runtime: Path) -> None:
    runtime.mkdir()
    os.chown(runtime, NOBODY, NOBODY)
    files(tmp_path / "data").write()
    assert list(runtime.iterdir()) == []


def test_without_a_runtime_folder_the_home_is_taken(
    tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "not-there"))
    files(tmp_path / "data").write()
    assert not runtime.exists()
    assert (tmp_path / ".local" / "state" / "pooldeck" / "8765.json").exists()
    assert find_place(URL).token == "secret"


def test_a_server_whose_files_cannot_be_written_goes_on(tmp_path: Path, runtime: Path) -> None:
    runtime.write_text("a file where the folder should be")
    (tmp_path / "data" / "authorization").mkdir(parents=True)
    written = files(tmp_path / "data")
    written.write()
    written.remove()
    assert (tmp_path / "data" / "authorization").is_dir()
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["authorization"]
