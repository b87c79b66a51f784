"""Logins by OpenID Connect: the browser goes to the provider and comes back with a code.

Authorization code with PKCE. The code and the secret go from this server to the provider; the
browser carries nothing that lets in anybody else. Nobody's tokens of the provider are kept.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from msgspec import Struct

from pooldeck_server.domain.access import Principal
from pooldeck_server.domain.clock import Clock, seconds, span
from pooldeck_server.domain.logins import LoginFailed, Person, Why, principal_for
from pooldeck_server.runtime.access.oidc.attempts import LoginAttempt, LoginAttempts, cookie_of
from pooldeck_server.runtime.access.oidc.http import SECONDS, ProviderHttp, shown
from pooldeck_server.runtime.access.oidc.id_token import Expected, SignedToken
from pooldeck_server.runtime.access.oidc.keys import ProviderKeys
from pooldeck_server.runtime.access.oidc.metadata import Discovery, Metadata
from pooldeck_server.runtime.access.sessions import Sessions
from pooldeck_server.settings.oidc import OidcSettings

_AT_ONCE: Final = 8  # logins that ask the provider
_MOST_GROUPS: Final = 1000
_LONGEST: Final = 4096  # characters of what a callback says
_MOST_LINES: Final = 20  # of the log within a minute
_MINUTE: Final = 60.0  # seconds
_log = logging.getLogger(__name__)


class Leading(Struct, frozen=True):
    """Where a browser is to go, and what it keeps meanwhile."""

    address: str
    cookie: str
    kept: str


class Entered(Struct, frozen=True):
    """Who came in, the secret that his browser is to show, and where it goes."""

    principal: Principal
    secret: str
    next: str


class OidcLogins:
    """Those by the one provider of the settings."""

    def __init__(
        self, settings: OidcSettings, sessions: Sessions, clock: Clock, ask_seconds: float = SECONDS
    ) -> None:
        self.settings = settings
        self._sessions = sessions
        self._clock = clock
        self._secret = settings.secret()
        self._http = ProviderHttp(settings.ca_file, ask_seconds)
        self._discovery = Discovery(settings.issuer, self._http, clock)
        self._keys = ProviderKeys(self._http, clock)
        self._attempts = LoginAttempts(clock)
        self._asking = asyncio.Semaphore(_AT_ONCE)
        self._minute, self._lines = 0.0, 0

    async def close(self) -> None:
        """End the connections to the provider."""
        await self._http.close()

    @staticmethod
    def cookie_of(state: str) -> str:
        """Return the name of the cookie that a login is kept in: one for each tab."""
        return cookie_of(state)

    async def begin(self, wanted: str, callback: str) -> Leading:
        """Begin a login.

        Args:
            wanted: The path that it leads to.
            callback: The address by which the provider sends the browser back.

        Raises:
            LoginFailed: If the provider cannot be asked.
        """
        try:
            metadata = await self._discovery.metadata()
        except LoginFailed as failed:
            self._say(failed)
            raise
        attempt, kept = self._attempts.begin(wanted)
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": callback,
            "scope": " ".join(self.settings.scopes),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        address = metadata.authorization
        joined = f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"
        return Leading(joined, cookie_of(attempt.state), kept)

    async def finish(self, said: Mapping[str, str], kept: str, callback: str) -> Entered:
        """Finish a login, and begin a session.

        Args:
            said: What the provider has sent the browser back with.
            kept: What the browser has kept, "" for nothing.
            callback: The address that it was sent back to, as it was at the beginning.

        Raises:
            LoginFailed: If it comes to nothing; the reason is in the log.
        """
        attempt = self._taken(said, kept)
        try:
            identity = await self._identified(said, attempt, callback)
            principal = self._admitted(identity)
        except LoginFailed as failed:
            self._say(failed)
            raise
        until = self._clock.now() + span(self.settings.session_hours * 3600)
        secret = await self._sessions.begin(principal, self.settings.origin, until)
        _log.info("%s has logged in as %s", principal.name, principal.role)
        return Entered(principal, secret, attempt.next)

    def _taken(self, said: Mapping[str, str], kept: str) -> LoginAttempt:
        """Return the login that a callback belongs to; who has begun none costs nothing."""
        if any(len(value) > _LONGEST for value in said.values()):
            raise LoginFailed(Why.NOT_BEGUN, "the callback is too long")
        return self._attempts.take(said.get("state", ""), kept)

    async def _identified(
        self, said: Mapping[str, str], attempt: LoginAttempt, callback: str
    ) -> Person:
        if self._asking.locked():
            raise LoginFailed(Why.BUSY, "too many logins ask the provider at once")
        async with self._asking:
            metadata = await self._discovery.metadata()
            code = self._code(said, metadata)
            answer = await self._exchanged(code, attempt, callback, metadata)
            claims = await self._claims(answer, attempt, metadata)
            return await self._identity(claims, answer, metadata)

    def _admitted(self, identity: Person) -> Principal:
        principal = principal_for(identity, self.settings.grants)
        if principal is None:
            said = f"{identity.name} has no role here: no group of theirs is in [oidc.groups]"
            raise LoginFailed(Why.NO_ROLE, said, identity)
        return principal

    def _code(self, said: Mapping[str, str], metadata: Metadata) -> str:
        """Return the code of a callback, of the provider and not of another (RFC 9207)."""
        issuer = said.get("iss")
        if issuer != self.settings.issuer and (issuer is not None or metadata.says_issuer):
            raise LoginFailed(Why.NOT_VALID, f"the callback is of {shown(str(issuer))}")
        if "error" in said:
            raise LoginFailed(Why.REFUSED, f"the provider says {shown(said['error'])}")
        if not said.get("code"):
            raise LoginFailed(Why.REFUSED, "the provider has sent no code")
        return said["code"]

    async def _exchanged(
        self, code: str, attempt: LoginAttempt, callback: str, metadata: Metadata
    ) -> Mapping[str, str]:
        """Return the tokens that the provider gives for a code."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": callback,
            "code_verifier": attempt.verifier,
        }
        auth = None
        if self._secret is not None and metadata.takes_basic:
            auth = (quote(self.settings.client_id, safe=""), quote(self._secret, safe=""))
        else:
            form["client_id"] = self.settings.client_id
            if self._secret is not None:
                form["client_secret"] = self._secret
        answer = await self._http.post(metadata.token, form, auth)
        tokens = {name: answer.get(name) for name in ("id_token", "access_token")}
        found = {name: value for name, value in tokens.items() if isinstance(value, str)}
        if "id_token" not in found:
            raise LoginFailed(Why.UNREACHABLE, f"{metadata.token} answers without an ID token")
        return found

    async def _claims(
        self, answer: Mapping[str, str], attempt: LoginAttempt, metadata: Metadata
    ) -> Mapping[str, Any]:
        token = SignedToken(answer["id_token"])
        key = await self._keys.find(metadata.keys, token.kid)
        expected = Expected(
            issuer=self.settings.issuer,
            client_id=self.settings.client_id,
            nonce=attempt.nonce,
            begun_at=seconds(attempt.begun_at),
            now=seconds(self._clock.now()),
            access_token=answer.get("access_token", ""),
        )
        return token.claims(key, expected)

    async def _identity(
        self, claims: Mapping[str, Any], answer: Mapping[str, str], metadata: Metadata
    ) -> Person:
        """Return who it is; what the ID token does not say of the groups is asked for."""
        wanted, known = self.settings.groups_claim, dict(claims)
        token = answer.get("access_token")
        if wanted not in claims and metadata.userinfo is not None and token:
            more = await self._http.get(metadata.userinfo, token)
            if more.get("sub") != claims["sub"]:
                raise LoginFailed(Why.NOT_VALID, "userinfo is of another person (sub)")
            known = more | known
        return Person(
            issuer=self.settings.issuer,
            subject=claims["sub"],
            shown=_shown_name(known),
            groups=_groups(known, wanted),
        )

    def _say(self, failed: LoginFailed) -> None:
        """Put a failed login into the log, unless there were many within this minute."""
        now = self._clock.monotonic()
        if now - self._minute > _MINUTE:
            self._minute, self._lines = now, 0
        self._lines += 1
        if self._lines <= _MOST_LINES:
            _log.warning("a login by OpenID Connect has failed: %s", failed.detail)


def _shown_name(claims: Mapping[str, Any]) -> str:
    said = (claims.get(name) for name in ("preferred_username", "email", "sub"))
    return next(each for each in said if isinstance(each, str) and each.strip())


def _groups(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return the groups that a claim has; an address of mail counts only if it was verified."""
    if name == "email" and claims.get("email_verified") is not True:
        return ()
    found = claims.get(name)
    listed = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    return tuple(each for each in listed[:_MOST_GROUPS] if isinstance(each, str))
