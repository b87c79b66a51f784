"""The sessions of browsers: begun by a login, ended by a logout, in memory and in the store.

A session outlives a restart of the server, and ends with the token that it was begun with. Where
that is the one of the settings, its key is made of both, so that with another token no secret of a
browser leads to it; a named token ends its sessions when it is revoked or expires.
"""

import asyncio
import hmac
import secrets
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from pooldeck_server.domain.access import Principal
from pooldeck_server.domain.actions import Actor, ActorKind, Deed
from pooldeck_server.domain.clock import SECOND, Clock
from pooldeck_server.domain.sessions import Session
from pooldeck_server.runtime import acting
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.store import records
from pooldeck_server.store.transaction import Transaction

SESSION_SECONDS: Final = 12 * 3600
_MOST: Final = 1000  # the oldest end for those above
_MOST_OF_ONE: Final = 50  # of one principal, who ends nobody else's by logging in again and again
_SECRET_BYTES: Final = 32
_NEVER: Final = 2**63 - 1


class OpenSession:
    """A session that goes on; `over` is set when somebody ends it."""

    def __init__(self, kept: Session) -> None:
        self.kept = kept
        self.over = asyncio.Event()


class Sessions:
    """Those that go on, by key."""

    def __init__(
        self, recorder: Recorder, clock: Clock, token: str, kept: Iterable[Session]
    ) -> None:
        self._recorder = recorder
        self._clock = clock
        self._token = token.encode()
        self._open = {session.key: OpenSession(session) for session in kept}

    async def begin(
        self, principal: Principal, token: str | None = None, until: int | None = None
    ) -> str:
        """Begin a session of somebody, and return the secret that the browser is to show.

        Where the database takes no writes nobody is kept out: the session ends with this server.

        Args:
            principal: Whose it is, and what he may do as long as it goes on.
            token: The name of the token that it ends with, if it was begun with a named one.
            until: When it ends at the latest, if before its usual time (microseconds since the
                epoch).
        """
        secret, now = secrets.token_urlsafe(_SECRET_BYTES), self._clock.now()
        ends_at = min(now + SESSION_SECONDS * SECOND, until or _NEVER)
        session = Session(self._key(secret), now, ends_at, principal, token)
        self._open[session.key] = OpenSession(session)
        dropped = self._dropped(now)
        for key in dropped:
            self._open.pop(key).over.set()
        actor = Actor(principal.name, ActorKind.PRINCIPAL, acting.present().address)
        action = acting.action(now, Deed.LOG_IN, "session", by=actor)

        def write(transaction: Transaction) -> None:
            records.begin_session(transaction, session, dropped)
            records.act(transaction, action)

        await self._recorder.try_perform(write, "a session of a browser")
        return secret

    async def end(self, secret: str) -> None:
        """End the session of a browser, if it has one that goes on."""
        session = self._open.pop(self._key(secret), None)
        if session is not None:
            session.over.set()
            action = acting.action(self._clock.now(), Deed.LOG_OUT, "session")

            def write(transaction: Transaction) -> None:
                records.end_sessions(transaction, [session.kept.key])
                records.act(transaction, action)

            await self._recorder.try_perform(write, "the end of a session of a browser")

    def end_of_token(self, name: str) -> None:
        """End the sessions that were begun with a named token; the store does so by itself."""
        ended = [key for key, each in self._open.items() if each.kept.token == name]
        for key in ended:
            self._open.pop(key).over.set()

    async def end_others_of(self, kind: str, kept: str | None) -> None:
        """End those begun with what has a name of one kind, but for those begun with `kept`.

        Args:
            kind: How these names begin.
            kept: The one whose sessions go on; None for none.
        """
        names = {key: session.kept.token or "" for key, session in self._open.items()}
        await self._end(
            [key for key, name in names.items() if name.startswith(kind) and name != kept]
        )

    async def _end(self, ended: list[str]) -> None:
        for key in ended:
            self._open.pop(key).over.set()
        if ended:
            await self._recorder.try_perform(
                lambda tx: records.end_sessions(tx, ended), "the end of sessions of browsers"
            )

    def holds(self, secret: str) -> bool:
        """Tell whether a session goes on whose secret this is."""
        return self._of(secret) is not None

    def principal_of(self, secret: str) -> Principal | None:
        """Return whose session it is; None where none goes on."""
        session = self._of(secret)
        return None if session is None else session.kept.principal

    async def wait_for_end(self, secret: str) -> None:
        """Return when the session that `secret` stands for is over; never without a secret."""
        if not secret:
            await asyncio.Event().wait()
        session = self._of(secret)
        if session is None:
            return
        left = (session.kept.ends_at - self._clock.now()) / SECOND
        with suppress(TimeoutError):
            await asyncio.wait_for(session.over.wait(), max(0.0, left))

    def _of(self, secret: str) -> OpenSession | None:
        if not secret:
            return None
        session = self._open.get(self._key(secret))
        return session if session and session.kept.ends_at > self._clock.now() else None

    def _key(self, secret: str) -> str:
        return hmac.digest(self._token, secret.encode(), "sha256").hex()

    def _dropped(self, now: int) -> list[str]:
        """Return the keys of those that are over, and of the oldest where there are too many."""
        over = {key for key, session in self._open.items() if session.kept.ends_at <= now}
        own: dict[str, list[str]] = {}
        for key, session in self._open.items():
            if key not in over:
                own.setdefault(session.kept.principal.name, []).append(key)
        for keys in own.values():
            over.update(keys[: max(0, len(keys) - _MOST_OF_ONE)])
        others = [key for key in self._open if key not in over]
        return [*over, *others[: max(0, len(others) - _MOST)]]
