"""Credentials: the token, and the signed cookies that stand for it in browsers."""

import hashlib
import hmac
from typing import Final

from itsdangerous import BadSignature, TimestampSigner

from pooldeck_server.web.http.headers import Headers

COOKIE: Final = "pooldeck"
COOKIE_SECONDS: Final = 12 * 3600


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
