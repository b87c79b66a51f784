"""Origins: the host names that the server answers to, and where a request may come from.

Loopback alone is no protection, since every page that a browser shows can reach it: by rebinding
its own name to 127.0.0.1, and by sending forms across sites. So the Host is checked on every
request, and where it comes from: a page of another origin may lead a person to a page here, and
nothing else. Decisions only; `http.guard` asks.
"""

import re
from functools import lru_cache
from typing import Final

from pooldeck_server.domain.errors import Forbidden, WrongHost
from pooldeck_server.settings import Settings
from pooldeck_server.web.http.headers import Headers

_LOOPBACK: Final = {"localhost", "127.0.0.1", "[::1]"}
_AUTHORITY: Final = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?")
_SAME_ORIGIN: Final = {b"same-origin", b"none"}  # "none" is what a person typed or bookmarked
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}
_LONGEST: Final = 100  # characters of a name that are said again


class Hosts:
    """The names that this server answers to."""

    def __init__(self, settings: Settings) -> None:
        own = f"[{settings.host}]" if ":" in settings.host else settings.host
        self._chosen = frozenset(name.lower() for name in settings.allowed_hosts)
        self._names = self._chosen | _LOOPBACK | {own.lower()}
        self._is_known = lru_cache(maxsize=256)(self._matches)

    def check_host(self, headers: Headers) -> None:
        """Refuse a request that was meant for another server.

        Raises:
            WrongHost: If its Host is missing, malformed, or none of the allowed ones.
        """
        host = headers.get(b"host", b"")
        if not self._is_known(host):
            raise WrongHost(_what_to_do(host))

    def check_origin(self, headers: Headers) -> None:
        """Refuse what a page of another origin made a browser send.

        Programs send neither of these headers, browsers send one or both; the port counts.

        Raises:
            Forbidden: If the request comes from another origin.
        """
        if headers.get(b"sec-fetch-site", b"none") not in _SAME_ORIGIN:
            raise Forbidden("a page of another site may neither read nor change anything here")
        origin = headers.get(b"origin")
        if origin is not None and not self._is_own(origin, headers[b"host"]):
            raise Forbidden(_what_to_write(origin, headers[b"host"]))

    def check_visit(self, headers: Headers) -> None:
        """Refuse a page to whoever is not led to it: a frame, an image or a script elsewhere.

        Raises:
            Forbidden: If a page of another origin asks for it, and not to show it in its place.
        """
        is_led = headers.get(b"sec-fetch-mode") == b"navigate"
        if not (is_led and headers.get(b"sec-fetch-dest") == b"document"):
            self.check_origin(headers)

    def _is_own(self, origin: bytes, host: bytes) -> bool:
        scheme, _, authority = origin.decode("latin-1").lower().partition("://")
        if scheme not in _DEFAULT_PORTS:
            return False
        port = _DEFAULT_PORTS[scheme]
        asked = host.decode("latin-1").lower().removesuffix(port)
        own = authority.removesuffix(port)
        return own == asked or own in self._chosen

    def _matches(self, host: bytes) -> bool:
        return _is_among(self._names, host.decode("latin-1").lower())


def _is_among(names: frozenset[str], authority: str) -> bool:
    match = _AUTHORITY.fullmatch(authority)
    return match is not None and (match[1] in names or authority in names)


def _what_to_do(host: bytes) -> str:
    shown = _shown(host)
    if not _AUTHORITY.fullmatch(shown.lower()):
        return f'the request needs a Host, such as localhost:8000, and has "{shown}"'
    return (
        f'this server does not answer to the name "{shown}". If people reach it by that name, '
        f'write allowed_hosts = ["{shown}"] in pooldeck.toml (POOLDECK_ALLOWED_HOSTS={shown}). If '
        "it is a proxy's own name for this server, let it send the Host that it was asked for"
    )


def _what_to_write(origin: bytes, host: bytes) -> str:
    shown = _shown(origin)
    authority = shown.partition("://")[2]
    return (
        f'a page of "{shown}" may not do this at "{_shown(host)}". If a proxy shows this server '
        "there, let it send the Host that it was asked for, or write "
        f'allowed_hosts = ["{authority}"] in pooldeck.toml (POOLDECK_ALLOWED_HOSTS={authority})'
    )


def _shown(name: bytes) -> str:
    return name[:_LONGEST].decode("latin-1")
