"""The tokens: named ones are made, looked up and revoked, and when each was used last is kept.

All that count are in memory, by the hash of their secret: a request costs one hash and a look into
a dictionary. When a token was used is written now and then, not by the request.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from msgspec.structs import replace

from pooldeck_server.domain.access import ANYBODY, OWNER, TASKS, Principal
from pooldeck_server.domain.actions import Action, Deed
from pooldeck_server.domain.clock import SECOND, Clock
from pooldeck_server.domain.errors import Conflict, NotFound
from pooldeck_server.domain.logins import PROVIDED
from pooldeck_server.domain.tokens import Token, TokenRequest, key_of, new_secret, new_token
from pooldeck_server.runtime import acting
from pooldeck_server.runtime.access.sessions import Sessions
from pooldeck_server.runtime.background import BackgroundPart
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.store import records
from pooldeck_server.store.transaction import Transaction

_NOTED_SECONDS: Final = 60.0


@dataclass(kw_only=True, eq=False)
class Tokens(BackgroundPart):
    """The named ones, the one of the settings, which is the owner's, and those of this run."""

    doing = "noting when tokens were used"

    recorder: Recorder
    sessions: Sessions
    clock: Clock
    owner: str | None  # the token of the settings
    is_asked_for: bool  # whether nothing is open without one
    kept: Iterable[Token]
    _of_run: dict[str, Principal] = field(init=False, default_factory=dict)  # by key
    _by_key: dict[str, Token] = field(init=False)
    _principals: dict[str, Principal] = field(init=False)  # of these, made once for all requests
    _over: dict[str, asyncio.Event] = field(init=False, default_factory=dict)  # of streams
    _used_at: dict[str, int] = field(init=False, default_factory=dict)  # by name, not written yet

    def __post_init__(self) -> None:
        self._owner_key = None if self.owner is None else key_of(self.owner.encode())
        self._by_key = {token.key: token for token in self.kept}
        self._principals = {token.key: token.principal for token in self.kept}

    def all(self) -> Sequence[Token]:
        """Return them by name, with their latest use."""
        found = sorted(self._by_key.values(), key=lambda token: token.name)
        return [
            replace(token, used_at=self._used_at.get(token.name, token.used_at)) for token in found
        ]

    def make_for_run(self, principal: Principal) -> str:
        """Return a token of somebody's that is good until this server ends, and kept nowhere."""
        secret = new_secret()
        self._of_run[key_of(secret.encode())] = principal
        return secret

    def find_of_run(self, secret: bytes) -> Principal | None:
        """Return whose token of this run it is; None if it is none of these."""
        return self._of_run.get(key_of(secret))

    def find(self, secret: bytes) -> tuple[Principal, Token | None] | None:
        """Return whose token it is, and the token if it is a named one; None if it is none.

        An expired one is none.
        """
        key = key_of(secret)
        if key == self._owner_key:
            return OWNER, None
        if (of_run := self._of_run.get(key)) is not None:
            return of_run, None
        token, now = self._by_key.get(key), self.clock.now()
        if token is None or token.is_over(now):
            return None
        self._used_at[token.name] = now
        return self._principals[key], token

    async def create(self, request: TokenRequest, by: str) -> tuple[Token, str]:
        """Make a token in the name of `by`; return it with its secret, which is kept nowhere.

        Raises:
            InvalidRequest: If there can be no such token.
            Conflict: If there is one of that name.
            StorageUnavailable: If it cannot be kept.
        """
        secret = new_secret()
        token = new_token(request, secret, by, self.clock.now())
        if self._named(token.name) is not None:
            raise Conflict(
                f"there is a token {token.name} already; revoke it first, or take another name"
            )
        self._by_key[token.key] = token
        self._principals[token.key] = token.principal
        try:
            await self.recorder.perform(partial(_save, token=token, action=_creation(token)))
        except BaseException:
            self._forget(token)
            raise
        return token, secret

    async def revoke(self, name: str) -> Token:
        """Let a token count no more, from this moment on, nor what was begun with it; return it.

        Raises:
            NotFound: If there is no such token.
            StorageUnavailable: If that cannot be kept; it counts no more until the next start.
        """
        token = self._named(name)
        if token is None:
            raise NotFound(f"there is no token {name}")
        self._forget(token)
        self._used_at.pop(name, None)
        self.sessions.end_of_token(name)
        if (over := self._over.pop(name, None)) is not None:
            over.set()
        action = acting.action(self.clock.now(), Deed.REVOKE_TOKEN, "token", name)
        await self.recorder.perform(partial(_revoke, name=name, action=action))
        return token

    async def wait_for_end(self, principal: Principal) -> None:
        """Return when the named token of a principal is over; never where it was let in without."""
        is_of_run = principal in self._of_run.values()
        if is_of_run or principal in {OWNER, ANYBODY, TASKS} or PROVIDED in principal.name:
            await asyncio.Event().wait()
        token = self._named(principal.name)
        if token is None:
            return
        over = self._over.setdefault(token.name, asyncio.Event())
        left = None
        if token.expires_at is not None:
            left = max(0.0, (token.expires_at - self.clock.now()) / SECOND)
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), left)

    def _forget(self, token: Token) -> None:
        del self._by_key[token.key], self._principals[token.key]

    def _named(self, name: str) -> Token | None:
        return next((each for each in self._by_key.values() if each.name == name), None)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_NOTED_SECONDS)
            await self.note_uses()

    async def stop(self) -> None:
        """Write what was not written yet, and end."""
        await super().stop()
        await self.note_uses()

    async def note_uses(self) -> None:
        """Write when tokens were used since this was written last."""
        used = dict(self._used_at)
        if not used:
            return
        what = "when tokens were used last"
        if await self.recorder.try_perform(lambda tx: records.note_uses(tx, used), what):
            self._take_over(used)

    def _take_over(self, used: dict[str, int]) -> None:
        for key, token in self._by_key.items():
            if token.name in used:
                self._by_key[key] = replace(token, used_at=used[token.name])
        for name, at in used.items():
            if self._used_at.get(name) == at:
                del self._used_at[name]


def _creation(token: Token) -> Action:
    who, after = token.principal, {"role": str(token.principal.role)}
    if token.expires_at is not None:
        after["expires"] = time.strftime("%Y-%m-%d", time.gmtime(token.expires_at / SECOND))
    if token.sees_values:
        after["values"] = "yes"
    after |= {name: ", ".join(only) for name, only in _limits(who) if only}
    return acting.action(token.created_at, Deed.CREATE_TOKEN, "token", token.name, after=after)


def _limits(principal: Principal) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return ("functions", principal.functions), ("pools", principal.pools)


def _save(transaction: Transaction, token: Token, action: Action) -> None:
    records.save_token(transaction, token)
    records.act(transaction, action)


def _revoke(transaction: Transaction, name: str, action: Action) -> None:
    records.revoke_token(transaction, name)
    records.act(transaction, action)
