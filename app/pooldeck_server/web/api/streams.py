"""Answers that last: what they tell goes on until something ends it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from fastapi import Request, Response
from starlette.types import Receive, Send

from pooldeck_server.domain.access import Principal
from pooldeck_server.runtime.server import Server
from pooldeck_server.web.http.cookies import cookies
from pooldeck_server.web.http.credentials import COOKIE

_UNBUFFERED: Final = (b"x-accel-buffering", b"no")  # nginx would keep what comes until it has much


class OpenStream(Response):
    """An answer that lasts until its reader goes, or what it tells ends, or what let him in."""

    def __init__(self, server: Server, principal: Principal, session: str) -> None:
        super().__init__()
        self._server = server
        self._principal = principal
        self._session = session
        self._has_begun = False

    async def last(self, flow: Coroutine[Any, Any, None], receive: Receive, send: Send) -> None:
        """Let `flow` send what there is, from `begin` on, as long as it may."""
        logout = self._server.sessions.wait_for_end(self._session)
        revoked = self._server.tokens.wait_for_end(self._principal)
        await first_of(flow, _gone(receive), logout, revoked)
        if not self._has_begun:  # the reader was let out before it has read anything
            await send({"type": "http.response.start", "status": 401, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def begin(self, send: Send) -> None:
        """Send the head."""
        head = [(b"content-type", (self.media_type or "").encode()), _UNBUFFERED]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        self._has_begun = True


def session_of(request: Request, server: Server) -> str:
    """Return the session that a request belongs to; "" if it belongs to none."""
    return next(filter(server.sessions.holds, cookies(request.scope, COOKIE)), "")


async def first_of(*jobs: Coroutine[Any, Any, None]) -> None:
    """Run all until one ends, then cancel the others."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def send_part(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
