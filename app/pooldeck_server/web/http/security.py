"""Who may ask for what: host names, origins, credentials. Decisions only; `http.guard` asks.

Loopback alone is no protection, since every page that a browser shows can reach it: by rebinding
its own name to 127.0.0.1, and by sending forms across sites. So the Host is checked on every
request, and where a write comes from on every write.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from itsdangerous import BadSignature, TimestampSigner

from pooldeck_server.domain.errors import Forbidden, HeadersTooLarge, InvalidRequest, WrongHost
from pooldeck_server.settings import Settings

COOKIE: Final = "pooldeck"
COOKIE_SECONDS: Final = 12 * 3600

_LOOPBACK: Final = {"localhost", "127.0.0.1", "[::1]"}
_AUTHORITY: Final = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?")
_LOOKED_AT: Final = frozenset(
    {
        b"host",
        b"origin",
        b"sec-fetch-site",
        b"authorization",
        b"content-length",
        b"content-type",
        b"idempotency-key",
    }
)
_LONGEST_TYPE: Final = 256  # bytes; python-multipart takes quadratic time for a Content-Type
_SAME_SITE: Final = {b"same-origin", b"none"}  # "none" is what a person typed or bookmarked

Headers = Mapping[bytes, bytes]


def headers_of(raw: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return the headers that decisions are made on, each of which may stand only once.

    Raises:
        WrongHost: If there are two hosts.
        InvalidRequest: If another of them stands twice.
        HeadersTooLarge: If what they say of the body is too long to be looked at.
    """
    found: dict[bytes, bytes] = {}
    for name, value in raw:
        if name in _LOOKED_AT:
            if name in found:
                raise _double(name.decode())
            found[name] = value
    if len(found.get(b"content-type", b"")) > _LONGEST_TYPE:
        raise HeadersTooLarge(f"the Content-Type is larger than {_LONGEST_TYPE} bytes")
    return found


def _double(name: str) -> WrongHost | InvalidRequest:
    if name == "host":
        return WrongHost("the request names two hosts")
    return InvalidRequest(f"the header {name} stands twice")


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


class Credentials:
    """The one token, and the cookies that stand for it in browsers.

    A cookie is signed with a key made from the token: with another token, all cookies are void.
    """

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        key = hmac.new(self._token, b"pooldeck cookie", hashlib.sha256).digest()
        self._signer = TimestampSigner(key, salt="pooldeck", digest_method=hashlib.sha256)

    def fit(self, headers: Headers, cookie: str) -> bool:
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() == b"bearer":
            return self.is_token(token.strip())
        return self.is_cookie(cookie)

    def is_token(self, given: bytes) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(given, self._token)

    def new_cookie(self) -> str:
        return self._signer.sign(b"deck").decode()

    def is_cookie(self, value: str) -> bool:
        """Tell whether `value` was made by `new_cookie`, with this token, not too long ago."""
        try:
            return self._signer.unsign(value, max_age=COOKIE_SECONDS) == b"deck"
        except BadSignature:
            return False
