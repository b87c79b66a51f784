"""The socket in the data folder: the way in for the user that the server runs as, and for root.

Whoever may open it could as well read the database and the server's memory; so it asks for no
token, and lets the administrator of the machine make the first one, or another when all are lost.
"""

import asyncio
import logging
import os
import socket
import struct
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from pooldeck_server.domain.access import Principal, Role
from pooldeck_server.domain.actions import Actor, ActorKind
from pooldeck_server.domain.errors import Conflict, InvalidRequest, PooldeckError
from pooldeck_server.domain.tokens import (
    CreateToken,
    ListTokens,
    MakeLink,
    RevokeToken,
    TokenAnswer,
    TokenCommand,
)
from pooldeck_server.runtime import acting
from pooldeck_server.runtime.access.login_links import LoginLinks
from pooldeck_server.runtime.access.socket_path import short
from pooldeck_server.runtime.access.tokens import Tokens

_MODE: Final = 0o600
_MOST_BYTES: Final = 64 * 1024
_SECONDS: Final = 10.0  # that a command may take to arrive
_CREDENTIALS: Final = struct.Struct("3i")  # pid, uid, gid
_log = logging.getLogger(__name__)

LOCAL: Final = Principal(name="the command line", role=Role.ADMIN)


@dataclass(eq=False)
class TokenSocket:
    """Listens while the server runs; the lock of the database keeps others from its place."""

    path: Path
    tokens: Tokens
    links: LoginLinks | None
    _server: asyncio.Server | None = field(init=False, default=None)

    async def start(self) -> None:
        """Listen; where that cannot be, say so in the log: the server does without it."""
        try:
            listening = self._bound()
        except OSError as error:
            _log.warning(
                "%s: cannot listen (%s); tokens are made by an admin only, on the page /tokens",
                self.path,
                error,
            )
            return
        self._server = await asyncio.start_unix_server(
            self._serve, sock=listening, limit=_MOST_BYTES
        )

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self.path.unlink(missing_ok=True)

    def _bound(self) -> socket.socket:
        """Return the bound socket, which nobody else could open at any moment."""
        self.path.unlink(missing_ok=True)  # left by a server that was killed
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            os.fchmod(listening.fileno(), _MODE)  # Linux gives this mode to what bind makes
            with short(self.path) as name:
                listening.bind(name)
            self.path.chmod(_MODE)
        except BaseException:
            listening.close()
            raise
        listening.setblocking(False)
        return listening

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(
            OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError
        ):
            if _may_ask(writer.get_extra_info("socket")):
                acting.enter(Actor(LOCAL.name, ActorKind.PRINCIPAL))
                text = await asyncio.wait_for(reader.readuntil(), _SECONDS)
                writer.write(msgspec.json.encode(await self._answer(text)) + b"\n")
                await writer.drain()
        writer.close()

    async def _answer(self, text: bytes) -> TokenAnswer:
        try:
            command = msgspec.json.decode(text, type=TokenCommand)
            return await self._done(command)
        except msgspec.MsgspecError as error:
            return TokenAnswer(error=str(error))
        except PooldeckError as error:
            return TokenAnswer(error=error.detail)

    async def _done(self, command: TokenCommand) -> TokenAnswer:
        tokens, is_asked_for = self.tokens, self.tokens.is_asked_for
        match command:
            case CreateToken(request):
                token, secret = await tokens.create(request, LOCAL.name)
                return TokenAnswer(tokens=(token,), secret=secret, is_asked_for=is_asked_for)
            case RevokeToken(name):
                return TokenAnswer(tokens=(await tokens.revoke(name),), is_asked_for=is_asked_for)
            case ListTokens():
                return TokenAnswer(tokens=tuple(tokens.all()), is_asked_for=is_asked_for)
            case MakeLink():
                return TokenAnswer(secret=self._link(), is_asked_for=is_asked_for)
        raise InvalidRequest("no such command")

    def _link(self) -> str:
        if self.links is not None:
            return self.links.make()
        if self.tokens.is_asked_for:
            raise Conflict(
                "this server asks for tokens: make one by `pooldeck token create`, and log in with "
                "it"
            )
        raise Conflict("this server lets everybody in: nobody needs a link")


def _may_ask(peer: socket.socket) -> bool:
    """Tell whether it is the server's own user or root who has opened the other end."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True  # the mode of the file has decided
    found = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(found)
    return uid in {0, os.geteuid()}
