"""Logins that were begun and not finished: each is kept by the browser that it belongs to.

What a browser keeps is signed with a key of this run of the server, counts once and for some
minutes. So nobody who only begins logins takes room from others, and several tabs do not get in
each other's way.
"""

import base64
import hashlib
import hmac
import secrets
from typing import Final

from msgspec import Struct

from pooldeck_server.domain.clock import SECOND, Clock
from pooldeck_server.domain.logins import ATTEMPT_SECONDS, LoginFailed, Why

_SECRET_BYTES: Final = 32
_LONGEST_NEXT: Final = 400  # bytes; what is longer does not fit among the cookies of several tabs
_MOST_USED: Final = 10_000


class LoginAttempt(Struct, frozen=True):
    """One login on its way: what the provider has to say again, and where the browser goes then."""

    state: str
    nonce: str
    verifier: str
    next: str
    begun_at: int

    @property
    def challenge(self) -> str:
        """What the provider is told of the verifier, by S256 of RFC 7636."""
        return _text(hashlib.sha256(self.verifier.encode()).digest())


class LoginAttempts:
    """Those of this run."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(_SECRET_BYTES)
        self._used: dict[str, int] = {}  # when each was begun, by its state, the oldest first

    def begin(self, wanted: str) -> tuple[LoginAttempt, str]:
        """Begin a login that leads to a path; return it with what the browser is to keep."""
        state = secrets.token_urlsafe(_SECRET_BYTES)
        place = wanted if len(wanted.encode()) <= _LONGEST_NEXT else "/"
        kept = f"{secrets.token_urlsafe(_SECRET_BYTES)}.{self._clock.now()}.{_text(place.encode())}"
        attempt = self._read(state, kept)
        return attempt, f"{kept}.{self._signature(state, kept)}"

    def take(self, state: str, kept: str) -> LoginAttempt:
        """Return the login that a browser has kept, which counts no more from now on.

        Raises:
            LoginFailed: If it is none of this run, too old, or was taken before.
        """
        if not (state + kept).isascii():
            raise LoginFailed(Why.NOT_BEGUN, "this server writes no such thing")
        said, _, signature = kept.rpartition(".")
        right = self._signature(state, said)
        if not hmac.compare_digest(signature.encode(), right.encode()):
            raise LoginFailed(Why.NOT_BEGUN, "this browser has not begun such a login")
        attempt, now = self._read(state, said), self._clock.now()
        if not 0 <= now - attempt.begun_at <= ATTEMPT_SECONDS * SECOND:
            raise LoginFailed(Why.NOT_BEGUN, "it was begun too long ago")
        self._forget(now)
        if state in self._used:
            raise LoginFailed(Why.NOT_BEGUN, "it was used before")
        self._used[state] = now
        return attempt

    def _forget(self, now: int) -> None:
        """Forget those that are over by time, and the oldest where there are too many."""
        for state, at in list(self._used.items()):
            if now - at <= ATTEMPT_SECONDS * SECOND and len(self._used) < _MOST_USED:
                return
            del self._used[state]

    def _read(self, state: str, kept: str) -> LoginAttempt:
        secret, begun_at, place = kept.split(".")
        return LoginAttempt(
            state=state,
            nonce=_text(self._digest("nonce", secret)),
            verifier=_text(self._digest("verifier", secret)),
            next=base64.urlsafe_b64decode(place + "==").decode(),
            begun_at=int(begun_at),
        )

    def _signature(self, state: str, kept: str) -> str:
        return _text(self._digest("login", f"{state}.{kept}"))

    def _digest(self, purpose: str, said: str) -> bytes:
        return hmac.digest(self._key, f"{purpose}.{said}".encode(), "sha256")


def cookie_of(state: str) -> str:
    """Return the name of the cookie that a login is kept in: one for each tab."""
    return f"pooldeck-login-{hashlib.sha256(state.encode()).hexdigest()[:12]}"


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
