"""Origins: the host names that the server answers to, and where a write may come from.

Loopback alone is no protection, since every page that a browser shows can reach it: by rebinding
its own name to 127.0.0.1, and by sending forms across sites. So the Host is checked on every
request, and where a write comes from on every write. Decisions only; `http.guard` asks.
"""

import re
from functools import lru_cache
from typing import Final

from pooldeck_server.domain.errors import Forbidden, WrongHost
from pooldeck_server.settings import Settings
from pooldeck_server.web.http.headers import Headers

_LOOPBACK: Final = {"localhost", "127.0.0.1", "[::1]"}
_AUTHORITY: Final = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?")
_SAME_SITE: Final = {b"same-origin", b"none"}  # "none" is what a person typed or bookmarked


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
            shown = host[:100].decode("latin-1")
            raise WrongHost(f'this server does not answer to "{shown}"; see allowed_hosts')

    def check_origin(self, headers: Headers) -> None:
        """Refuse a write that another site's page made a browser send.

        Programs send neither of these headers, browsers send one or both.

        Raises:
            Forbidden: If the write comes from another origin.
        """
        if headers.get(b"sec-fetch-site", b"none") not in _SAME_SITE:
            raise Forbidden("a page of another site may not change anything here")
        origin = headers.get(b"origin")
        if origin is not None and not self._is_own(origin, headers[b"host"]):
            raise Forbidden("a page of another origin may not change anything here")

    def _is_own(self, origin: bytes, host: bytes) -> bool:
        scheme, _, authority = origin.decode("latin-1").lower().partition("://")
        if scheme not in {"http", "https"}:
            return False
        return authority == host.decode("latin-1").lower() or _is_among(self._chosen, authority)

    def _matches(self, host: bytes) -> bool:
        return _is_among(self._names, host.decode("latin-1").lower())


def _is_among(names: frozenset[str], authority: str) -> bool:
    match = _AUTHORITY.fullmatch(authority)
    return match is not None and (match[1] in names or authority in names)
