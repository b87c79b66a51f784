"""Where a server is and by which token: one order, and no token for whom it is not meant."""

import os
from pathlib import Path

import msgspec
import pytest

from pooldeck.client.places import LocalServer, Place, PlaceError, find_place, local_server

HERE = "http://127.0.0.1:8000"
THERE = "https://deck.example"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test an environment without a word about servers, and folders of its own."""
    for name in ("POOLDECK_URL", "POOLDECK_TOKEN", "POOLDECK_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    return tmp_path


def write_profiles(home: Path, text: str, mode: int = 0o600) -> Path:
    path = home / "config" / "pooldeck" / "profiles.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def write_local(
    folder: Path, url: str = HERE, port: int = 8000, pid: int | None = None, mode: int = 0o600
) -> Path:
    server = LocalServer(url, "of-this-run", pid or os.getpid(), "data")
    path = folder / "pooldeck" / f"{port}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.encode(server))
    path.chmod(mode)
    return path


def test_without_a_word_it_is_the_default_address() -> None:
    assert find_place() == Place(HERE, None, "the default")


def test_each_source_beats_those_after_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_profiles(
        home, '[default]\nurl = "http://a.example"\n[work]\nurl = "http://b.example/deck/"\n'
    )
    assert find_place() == Place("http://a.example", None, "the profile default")
    monkeypatch.setenv("POOLDECK_PROFILE", "work")
    assert find_place().url == "http://b.example/deck"
    monkeypatch.setenv("POOLDECK_URL", "http://c.example:99/")
    assert find_place() == Place("http://c.example:99", None, "POOLDECK_URL")
    assert find_place(profile="default").url == "http://a.example"
    assert find_place("http://d.example", profile="default").url == "http://d.example"


def test_a_token_without_an_address_goes_with_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLDECK_TOKEN", "any")
    assert find_place().token == "any"
    assert find_place(THERE).token == "any"
    assert find_place(THERE, "given").token == "given"


def test_a_token_beside_an_address_goes_to_no_other(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_profiles(home, f'[default]\nurl = "{THERE}"\ntoken = "of-there"\n')
    monkeypatch.setenv("POOLDECK_URL", HERE)
    monkeypatch.setenv("POOLDECK_TOKEN", "of-here")
    assert find_place(THERE).token == "of-there"
    assert find_place(f"{HERE}/").token == "of-here"
    assert find_place("http://127.0.0.1:8001").token is None
    assert find_place("http://deck.example").token is None


def test_a_token_file_stands_beside_the_profiles(home: Path) -> None:
    path = write_profiles(home, f'[default]\nurl = "{THERE}"\ntoken_file = "token"\n', mode=0o644)
    token = path.parent / "token"
    with pytest.raises(PlaceError, match="cannot be read"):
        find_place()
    token.write_text("from-the-file\n")
    token.chmod(0o600)
    assert find_place().token == "from-the-file"


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_what_others_may_read_gives_no_token(home: Path, mode: int) -> None:
    path = write_profiles(home, f'[default]\nurl = "{THERE}"\ntoken = "secret"\n', mode)
    with pytest.raises(PlaceError, match="chmod 600"):
        find_place()
    write_profiles(home, f'[default]\nurl = "{THERE}"\ntoken_file = "token"\n', mode)
    (path.parent / "token").write_text("secret")
    (path.parent / "token").chmod(mode)
    with pytest.raises(PlaceError, match="chmod 600"):
        find_place()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[default", "cannot be used"),
        ('[default]\ntoken = "x"\n', "url"),
        ('[default]\nurl = "http://a"\npasword = "x"\n', "pasword"),
        ('[default]\nurl = "http://a"\ntoken = "x"\ntoken_file = "y"\n', "both"),
        ('[default]\nurl = "deck.example:8000"\n', "no address"),
        ('default = "http://a"\n', "cannot be used"),
    ],
)
def test_profiles_that_make_no_sense_are_refused_in_words(
    home: Path, text: str, words: str
) -> None:
    write_profiles(home, text)
    with pytest.raises(PlaceError, match=words):
        find_place()


def test_a_profile_that_is_not_there_is_refused_and_those_are_named_that_are(home: Path) -> None:
    with pytest.raises(PlaceError, match=r"no profile work: .*none"):
        find_place(profile="work")
    write_profiles(home, f'[home]\nurl = "{HERE}"\n')
    with pytest.raises(PlaceError, match=r"no profile work: .*home"):
        find_place(profile="work")


@pytest.mark.parametrize(
    "url", ["ftp://a", "127.0.0.1:8000", "http://", "http://a:99999", "http://[::1", "http://a:0"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(PlaceError, match="no address"):
        find_place(url)


@pytest.mark.parametrize("url", ["http://a/deck/api/v1", "http://a/deck/api/v1/"])
def test_the_path_of_the_api_is_no_part_of_the_address(url: str) -> None:
    assert find_place(url).url == "http://a/deck"


def test_a_server_of_this_user_on_loopback_lets_in_by_its_file(home: Path) -> None:
    write_local(home / "run")
    assert find_place() == Place(HERE, "of-this-run", "the default")
    assert find_place(f"{HERE}/deck") == Place(f"{HERE}/deck", "of-this-run", "the argument")
    assert find_place(HERE, "given").token == "given"


def test_a_server_that_had_no_runtime_folder_is_found_too(home: Path) -> None:
    write_local(home / ".local" / "state")
    assert find_place().token == "of-this-run"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.2:8000",  # where another user may listen
        "http://[::1]:8000",
        "http://127.0.0.1:8001",
        "http://deck.example:8000",
        "https://127.0.0.1:8000",
    ],
)
def test_the_token_of_that_file_goes_to_no_other_address(home: Path, url: str) -> None:
    write_local(home / "run")
    assert find_place(url) == Place(url, None, "the argument")


def test_under_the_name_localhost_the_token_goes_to_the_address_that_is_bound(home: Path) -> None:
    write_local(home / "run", "http://[::1]:8000")
    place = find_place("http://localhost:8000/deck")
    assert (place.url, place.token) == ("http://[::1]:8000/deck", "of-this-run")


def test_what_a_killed_server_has_left_counts_for_nothing(home: Path) -> None:
    child = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(child, 0)
    write_local(home / "run", pid=child)
    assert local_server(8000) is None


def test_a_file_that_others_could_have_written_or_read_counts_for_nothing(home: Path) -> None:
    path = write_local(home / "run", mode=0o644)
    assert local_server(8000) is None
    path.chmod(0o600)
    assert local_server(8000) is not None
    elsewhere = path.rename(home / "elsewhere.json")
    path.symlink_to(elsewhere)
    assert local_server(8000) is None
    path.unlink()
    path.mkdir()
    assert local_server(8000) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a file to another user")
def test_a_file_of_another_user_counts_for_nothing(home: Path) -> None:
    path = write_local(home / "run")
    os.chown(path, 65534, 65534)
    assert local_server(8000) is None


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"url": 1}'])
def test_a_file_with_other_content_counts_for_nothing(home: Path, content: bytes) -> None:
    write_local(home / "run").write_bytes(content)
    assert find_place().token is None


def test_the_token_is_not_shown_where_a_place_is() -> None:
    assert "secret" not in repr(find_place(HERE, "secret"))
