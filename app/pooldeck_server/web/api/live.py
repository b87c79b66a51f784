"""The live stream: frames of the feed as server-sent events."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Final, Literal

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Struct
from starlette.types import Receive, Scope, Send

from pooldeck_server.domain.frames import EndsWindow, Frame
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.server import Server
from pooldeck_server.web.api.schemas.pools import Pool
from pooldeck_server.web.api.schemas.types import shown, timestamp
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.http.responses import Responses, bad
from pooldeck_server.web.text.i18n import ENGLISH, speaking
from pooldeck_server.web.text.notices import NoticeText, notices

router = APIRouter(tags=["live"])

_MEDIA_TYPE: Final = "text/event-stream"
_HEARTBEAT_SECONDS: Final = 15.0
_HEARTBEAT: Final = b": alive\n\n"
_DESCRIPTION: Final[Responses] = {
    200: {
        "description": "Events `deck`, at most four a second, until the server shuts down.",
        "content": {_MEDIA_TYPE: {"schema": {"type": "string"}}},
    }
}
_OPENING: Final = b"retry: 1000\n\n"  # milliseconds until a browser connects again


class DeckFrame(Struct, frozen=True):
    """The data of an event `deck`. `changed` holds task ids; null means too many to name.

    `incidents` are those of the last 24 hours.
    """

    seq: int
    at: str
    counts: dict[State, int]
    window: EndsWindow
    throughput: float
    oldest_wait: float | None
    incidents: int
    pools: list[Pool]
    notices: tuple[NoticeText, ...]
    changed: tuple[str, ...] | None


class Encoder:
    """Turns frames into events, each only once for all who read the same language."""

    def __init__(self) -> None:
        self._frame: Frame | None = None
        self._events: dict[str, bytes] = {}

    def encode(
        self,
        frame: Frame,
        attention: Callable[[Frame], tuple[NoticeText, ...]],
        language: str = ENGLISH,
    ) -> bytes:
        if frame is not self._frame:
            self._frame, self._events = frame, {}
        if language not in self._events:
            with speaking(language):
                self._events[language] = _event(frame, attention(frame))
        return self._events[language]


def _event(frame: Frame, said: tuple[NoticeText, ...]) -> bytes:
    pools = [Pool.of(pool) for pool in frame.pools]
    data = shown(DeckFrame, frame, at=timestamp(frame.at), pools=pools, notices=said)
    return b"event: deck\nid: %d\ndata: %s\n\n" % (frame.seq, msgspec.json.encode(data))


@router.get(
    "/events",
    response_class=Response,
    responses=_DESCRIPTION | bad(401, 421, 422, 431, 500, 503),
)
async def follow(
    request: Request, server: ServerDep, lang: Literal["en", "zh-Hans"] = ENGLISH
) -> Response:
    """Follow the live picture; what the dashboard listens to. `lang` is that of `notices`."""
    return EventStream(server, request.app.state.encoder, lang)


class EventStream(Response):
    """An answer that lasts until its reader goes or the feed ends."""

    media_type = _MEDIA_TYPE

    def __init__(self, server: Server, encoder: Encoder, language: str) -> None:
        super().__init__()
        self._server = server
        self._encoder = encoder
        self._language = language

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Send one event after another."""
        async with self._server.frames.subscribe() as frames:
            head = [(b"content-type", _MEDIA_TYPE.encode())]
            await send({"type": "http.response.start", "status": 200, "headers": head})
            await _send(send, _OPENING)
            await _first_of(self._pump(frames, send), _beat(send), _gone(receive))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pump(self, frames: AsyncIterator[Frame], send: Send) -> None:
        async for frame in frames:
            await _send(send, self._encoder.encode(frame, self._attention, self._language))

    def _attention(self, frame: Frame) -> tuple[NoticeText, ...]:
        return notices(frame, self._server.state, self._server.holds.all())


async def _first_of(*jobs: Coroutine[Any, Any, None]) -> None:
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


async def _beat(send: Send) -> None:
    """Send a comment now and then, so that nothing on the way takes silence for death."""
    while True:
        await asyncio.sleep(_HEARTBEAT_SECONDS)
        await _send(send, _HEARTBEAT)


async def _send(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
