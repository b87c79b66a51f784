"""Where a server is, and by which token: looked up in one order by all that talk to one.

  1. what the caller says: an address, a token, the name of a profile
  2. POOLDECK_URL and POOLDECK_TOKEN
  3. the profile that POOLDECK_PROFILE names, else the one called `default`, if there is one
  4. http://127.0.0.1:8000

A token goes only to the address that stands beside it, or to any where none does. For an address on
loopback without a token there is one more way in: the file that a server writes for its own user.
"""

import os
import re
import stat
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

import msgspec
from msgspec import Struct

DEFAULT_URL: Final = "http://127.0.0.1:8000"
DEFAULT_PROFILE: Final = "default"
API: Final = "/api/v1"
"""The path of the API, below the address of a server."""

_NO_TLS: Final = re.compile(
    "WRONG_VERSION_NUMBER|record layer failure|packet length too long", re.IGNORECASE
)
"""What versions of OpenSSL say of an answer that is no handshake."""

_LOCALHOST: Final = "localhost"
_PORTS: Final = {"http": 80, "https": 443}
_FOR_OTHERS: Final = 0o077  # the bits of a mode that let in anybody but the owner
_MOST_BYTES: Final = 1024 * 1024  # of a file that is read here


class PlaceError(ValueError):
    """What says where a server is cannot be used; the message is one line for people."""


class Place(Struct, frozen=True):
    """Where a server is.

    Attributes:
        url: Its address, without a slash at its end.
        token: What it lets in; None where none was found, which a server on loopback may not need.
        source: What has said so, in words, such as "POOLDECK_URL" or "the profile work".
    """

    url: str
    token: str | None
    source: str

    def __repr__(self) -> str:
        token = None if self.token is None else "..."
        return f"Place({self.url!r}, token={token}, source={self.source!r})"


class LocalServer(Struct, frozen=True):
    """What a server on loopback writes for its own user: how to get in, and whether it still runs.

    Attributes:
        url: Its address, by the number that it is bound to.
        token: A token that is good until it ends.
        pid: Its process.
        data: The path of its data folder.
    """

    url: str
    token: str
    pid: int
    data: str

    @property
    def is_running(self) -> bool:
        """Whether there is such a process: a server that was killed leaves the file behind."""
        try:
            os.kill(self.pid, 0)
        except PermissionError:
            return True
        except (OSError, OverflowError):
            return False
        return self.pid > 0


class _Profile(Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the file of profiles."""

    url: str
    token: str | None = None
    token_file: str | None = None


def find_place(
    url: str | None = None, token: str | None = None, profile: str | None = None
) -> Place:
    """Return where a server is and by which token it lets in.

    Args:
        url: Its address; it beats all that is set elsewhere.
        token: The token to show it.
        profile: The name of a profile; it beats what the environment says.

    Raises:
        PlaceError: If an address is none, or if a profile cannot be found, read or trusted.
    """
    found = list(_said(url, token, profile))
    address = next(each for each in found if each.url)
    place = Place(_checked(address), _token_for(address.url, found), address.source)
    return _as_its_user(place) if place.token is None else place


def profiles_file() -> Path:
    """Return the path of this user's file of profiles, which need not be there."""
    folder = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(folder).expanduser() / "pooldeck" / "profiles.toml"


def runtime_folders() -> list[Path]:
    """Return where servers of this user write how to get in; the first is the one to write to.

    A program that was started otherwise than the server may lack XDG_RUNTIME_DIR, or the home.
    """
    said = os.environ.get("XDG_RUNTIME_DIR")
    folders = [Path(said)] if said and Path(said).is_absolute() else []
    with suppress(RuntimeError):  # a user without a home
        folders.append(Path("~/.local/state").expanduser())
    return [folder / "pooldeck" for folder in folders]


def _said(url: str | None, token: str | None, profile: str | None) -> Iterator[Place]:
    """Yield what each source says, in the order in which they count; "" for no address."""
    environ = os.environ
    yield Place(url or "", token or None, "the argument")
    if profile:
        yield _named(profile)
    variable = "POOLDECK_URL"
    yield Place(environ.get(variable) or "", environ.get("POOLDECK_TOKEN") or None, variable)
    if not profile:
        yield from _usual_profile(environ.get("POOLDECK_PROFILE"))
    yield Place(DEFAULT_URL, None, "the default")


def _usual_profile(name: str | None) -> Iterator[Place]:
    """Yield the profile to take where the caller names none; the default one need not exist."""
    if name:
        yield _named(name)
    elif (found := _profiles().get(DEFAULT_PROFILE)) is not None:
        yield _as_place(DEFAULT_PROFILE, found)


def _named(name: str) -> Place:
    profiles = _profiles()
    if name not in profiles:
        known = ", ".join(profiles) or "none"
        raise PlaceError(
            f"there is no profile {name}: {profiles_file()} has {known}; write a table [{name}] "
            'with url = "…" there, or name another'
        )
    return _as_place(name, profiles[name])


def _profiles() -> dict[str, _Profile]:
    """Return the profiles by their names; none where there is no such file."""
    path = profiles_file()
    try:
        tables = tomllib.loads(_read(path))
        profiles = msgspec.convert(tables, dict[str, _Profile])
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise PlaceError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, msgspec.ValidationError) as error:
        raise PlaceError(f"{path} cannot be used: {error}") from error
    if any(profile.token for profile in profiles.values()):
        _check_private(path)
    return profiles


def _as_place(name: str, profile: _Profile) -> Place:
    if profile.token and profile.token_file:
        raise PlaceError(f"the profile {name} has both token and token_file: keep one of them")
    token = profile.token or (_token_in(profile.token_file) if profile.token_file else None)
    return Place(profile.url, token, f"the profile {name}")


def _token_in(name: str) -> str:
    """Return what stands in a file of its own; a relative path begins at the file of profiles."""
    path = profiles_file().parent / Path(name).expanduser()
    try:
        token = _read(path).strip()
    except (OSError, ValueError) as error:
        raise PlaceError(f"the token file {path} cannot be read: {error}") from error
    _check_private(path)
    if not token:
        raise PlaceError(f"the token file {path} is empty: write the token into it")
    return token


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_MOST_BYTES).decode()


def _check_private(path: Path) -> None:
    if stat.S_IMODE(path.stat().st_mode) & _FOR_OTHERS:
        raise PlaceError(
            f"{path} has a token, and other users of this machine may open it: chmod 600 {path}"
        )


def _checked(place: Place) -> str:
    """Return an address without the slash at its end, and without the path of the API."""
    try:
        parts = urlsplit(place.url)
        is_address = parts.scheme in _PORTS and parts.hostname and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise PlaceError(
            f"{place.source} says {place.url!r}, which is no address of a server; one is such as "
            f"{DEFAULT_URL}"
        )
    return place.url.rstrip("/").removesuffix(API).rstrip("/")


def without_tls(url: str, problem: str) -> str | None:
    """Return what to say where something answers at an address of https and speaks no TLS.

    Args:
        url: The address.
        problem: What the system says of the connection.
    """
    if not url.startswith("https:") or not _NO_TLS.search(problem):
        return None
    return f"what answers at {url} does not speak https ({problem}): try http{url[5:]}"


def _token_for(url: str, said: list[Place]) -> str | None:
    """Return the first token that is meant for an address."""
    fitting = (each.token for each in said if not each.url or _is_same(each.url, url))
    return next((token for token in fitting if token), None)


def _is_same(one: str, other: str) -> bool:
    return one == other or _origin(urlsplit(one)) == _origin(urlsplit(other))


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def _as_its_user(place: Place) -> Place:
    """Return a place with the token of this user's own server, if that is what stands there.

    By the name `localhost` the address goes with it: under another number with this name, another
    user could wait for the token.
    """
    parts = urlsplit(place.url)
    local = local_server(parts.port or _PORTS[parts.scheme])
    if parts.scheme != "http" or local is None:
        return place
    bound = urlsplit(local.url)
    if parts.hostname == _LOCALHOST:
        parts = parts._replace(netloc=bound.netloc)
    if not is_loopback(parts.hostname or "") or parts.hostname != bound.hostname:
        return place
    return Place(parts.geturl(), local.token, place.source)


def is_loopback(host: str) -> bool:
    """Tell whether only this machine is reached under a host's name or number."""
    if host == _LOCALHOST:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def local_server(port: int) -> LocalServer | None:
    """Return what a running server of this user has written that listens on a port, if one does."""
    for folder in runtime_folders():
        found = read_local(folder / f"{port}.json")
        if found is not None and found.is_running:
            return found
    return None


def read_local(path: Path) -> LocalServer | None:
    """Return what stands in such a file; None where there is none that only this user may open."""
    with suppress(OSError, msgspec.DecodeError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if _is_private(os.fstat(descriptor)):
                return msgspec.json.decode(os.read(descriptor, _MOST_BYTES), type=LocalServer)
        finally:
            os.close(descriptor)
    return None


def _is_private(found: os.stat_result) -> bool:
    is_own = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
    return is_own and not stat.S_IMODE(found.st_mode) & _FOR_OTHERS
