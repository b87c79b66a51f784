"""The live stream: frames of the feed as server-sent events."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Final

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Struct
from starlette.types import Receive, Scope, Send

from app.domain.events import Frame, Window
from app.domain.states import State
from app.runtime.service import Service
from app.web.answers import Responses, bad
from app.web.contexts.frame import Notice, notices
from app.web.dependencies import ServiceDep
from app.web.schemas import Pool, timestamp

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


class Deck(Struct, frozen=True):
    """The data of an event `deck`. `changed` holds task ids; null means too many to name."""

    seq: int
    at: str
    counts: dict[State, int]
    window: Window
    throughput: float
    oldest_wait: float | None
    pools: list[Pool]
    notices: tuple[Notice, ...]
    changed: tuple[str, ...] | None


class Encoder:
    """Turns frames into events, each only once for all who get it."""

    def __init__(self) -> None:
        self._frame: Frame | None = None
        self._event = b""

    def encode(self, frame: Frame, attention: Callable[[Frame], tuple[Notice, ...]]) -> bytes:
        """Return `frame` as an event; `attention` says what needs some in it."""
        if frame is not self._frame:
            self._frame, self._event = frame, _event(frame, attention(frame))
        return self._event


def _event(frame: Frame, said: tuple[Notice, ...]) -> bytes:
    data = Deck(
        seq=frame.seq,
        at=timestamp(frame.at),
        counts=frame.counts,
        window=frame.window,
        throughput=frame.throughput,
        oldest_wait=frame.oldest_wait,
        pools=[Pool.of(pool) for pool in frame.pools],
        notices=said,
        changed=frame.changed,
    )
    return b"event: deck\nid: %d\ndata: %s\n\n" % (frame.seq, msgspec.json.encode(data))


@router.get(
    "/events",
    response_class=Response,
    responses=_DESCRIPTION | bad(401, 421, 500, 503),
)
async def follow(request: Request, service: ServiceDep) -> Response:
    """Follow the live picture; what the dashboard listens to."""
    return EventStream(service, request.app.state.encoder)


class EventStream(Response):
    """An answer that lasts until its reader goes or the feed ends."""

    media_type = _MEDIA_TYPE

    def __init__(self, service: Service, encoder: Encoder) -> None:
        super().__init__()
        self._service = service
        self._encoder = encoder

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Send one event after another."""
        async with self._service.feed.subscribe() as frames:
            head = [(b"content-type", _MEDIA_TYPE.encode())]
            await send({"type": "http.response.start", "status": 200, "headers": head})
            await _send(send, _OPENING)
            await _first_of(self._pump(frames, send), _beat(send), _gone(receive))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pump(self, frames: AsyncIterator[Frame], send: Send) -> None:
        async for frame in frames:
            await _send(send, self._encoder.encode(frame, self._attention))

    def _attention(self, frame: Frame) -> tuple[Notice, ...]:
        return notices(frame, self._service.state, self._service.holds())


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
    """Return when the reader has disconnected."""
    while (await receive())["type"] != "http.disconnect":
        pass
