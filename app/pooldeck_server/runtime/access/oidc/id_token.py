"""ID tokens: whether one was signed by the provider, for us, now, for this very login.

https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
"""

import base64
import hashlib
import hmac
import warnings
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import Key
from msgspec import Struct

from pooldeck_server.domain.logins import LoginFailed, Why
from pooldeck_server.runtime.access.oidc.http import shown

ALGORITHMS: Final = ("RS256", "ES256", "EdDSA", "Ed25519")
LEEWAY: Final = 60  # seconds that two clocks may differ
_HASHES: Final = {"RS256": "sha256", "ES256": "sha256", "EdDSA": "sha512", "Ed25519": "sha512"}
_LONGEST: Final = 64 * 1024  # characters of a token
_LONGEST_SUBJECT: Final = 255
_REGISTRY: Final = jws.JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)


class Expected(Struct, frozen=True):
    """What a token has to say. Times are seconds since the epoch."""

    issuer: str
    client_id: str
    nonce: str
    begun_at: float
    now: float
    access_token: str


class SignedToken:
    """A token as it came, with what its head says."""

    def __init__(self, text: str) -> None:
        """Take it apart.

        Raises:
            LoginFailed: If it is none, or signed in another way than those allowed.
        """
        if len(text) > _LONGEST or not text.isascii():
            raise _not_valid("is too long, or not of ASCII")
        try:
            self._parts = jws.extract_compact(text.encode(), None, _REGISTRY)
            head = self._parts.headers()
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise _not_valid(f"cannot be read: {type(error).__name__}") from None
        if head.get("alg") not in ALGORITHMS:
            raise _not_valid(f"is signed with {shown(str(head.get('alg')))}, which is not allowed")
        if "crit" in head:
            raise _not_valid("says crit, of which nothing is known here")
        self.algorithm: str = head["alg"]
        self.kid: str | None = head["kid"] if isinstance(head.get("kid"), str) else None

    def claims(self, key: Key, expected: Expected) -> Mapping[str, Any]:
        """Return what the token says, if it was signed with `key` and is the expected one.

        Raises:
            LoginFailed: If it is not.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SecurityWarning)  # EdDSA, by its earlier name
                is_signed = jws.validate_compact(self._parts, key, registry=_REGISTRY)
            claims = msgspec.json.decode(self._parts.payload, type=dict[str, Any])
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise _not_valid(f"does not hold: {type(error).__name__}") from None
        if not is_signed:
            raise _not_valid("has a wrong signature")
        _check_parties(claims, expected)
        _check_times(claims, expected)
        _check_access_token(claims, expected.access_token, _HASHES[self.algorithm])
        return claims


def _check_parties(claims: Mapping[str, Any], expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise _not_valid(f"is of the issuer {shown(str(claims.get('iss')))}")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if expected.client_id not in audiences:
        raise _not_valid("is for another client")
    azp = claims.get("azp")
    if (len(audiences) > 1 or azp is not None) and azp != expected.client_id:
        raise _not_valid("was given to another client (azp)")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not _are_equal(nonce, expected.nonce):
        raise _not_valid("is of another login (nonce)")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
        raise _not_valid("names nobody (sub)")


def _check_times(claims: Mapping[str, Any], expected: Expected) -> None:
    ends, made = _time(claims, "exp"), _time(claims, "iat")
    begins = _time(claims, "nbf") if "nbf" in claims else made
    if ends <= expected.now - LEEWAY:
        raise LoginFailed(Why.CLOCK, f"the ID token ended {expected.now - ends:.0f} s ago")
    if max(begins, made) > expected.now + LEEWAY:
        ahead = max(begins, made) - expected.now
        raise LoginFailed(Why.CLOCK, f"the ID token begins in {ahead:.0f} s")
    if made < expected.begun_at - LEEWAY:
        before = expected.begun_at - made
        raise LoginFailed(Why.CLOCK, f"the ID token was made {before:.0f} s before the login began")


def _time(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _not_valid(f"has no {name}")
    return float(min(max(value, 0), 2**53))


def _check_access_token(claims: Mapping[str, Any], access_token: str, name: str) -> None:
    if "at_hash" not in claims:
        return
    digest = hashlib.new(name, access_token.encode()).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
    if not _are_equal(str(claims["at_hash"]), half):
        raise _not_valid("is of another access token (at_hash)")


def _are_equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))


def _not_valid(what: str) -> LoginFailed:
    return LoginFailed(Why.NOT_VALID, f"the ID token {what}")
