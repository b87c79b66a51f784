"""The live stream: frames of the feed as server-sent events."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final, Literal

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Struct
from starlette.types import Receive, Scope, Send

from pooldeck_server.domain.access import ANYBODY
from pooldeck_server.domain.frames import EndsWindow, Frame
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.server import Server
from pooldeck_server.web.api.schemas.notices import ShownNotice
from pooldeck_server.web.api.schemas.pools import Pool
from pooldeck_server.web.api.schemas.types import shown, timestamp
from pooldeck_server.web.api.streams import OpenStream, first_of, send_part, session_of
from pooldeck_server.web.http.dependencies import ServerDep, SightDep
from pooldeck_server.web.http.responses import READING, Responses, bad
from pooldeck_server.web.http.sight import Sight
from pooldeck_server.web.http.time_zone import zone_of
from pooldeck_server.web.text.i18n import ENGLISH, speaking
from pooldeck_server.web.text.notices import NoticeText, notices
from pooldeck_server.web.text.zones import UTC_NAME, times_in

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
_ALL: Final = Sight(ANYBODY)
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
    notices: list[ShownNotice]
    changed: tuple[str, ...] | None


class Encoder:
    """Turns frames into events, once for all of the same language, time zone and rights."""

    def __init__(self) -> None:
        self._frame: Frame | None = None
        self._events: dict[tuple[str, str, bool], bytes] = {}

    def encode(
        self,
        frame: Frame,
        attention: Callable[[Frame], tuple[NoticeText, ...]],
        language: str = ENGLISH,
        sight: Sight = _ALL,
        zone: str = UTC_NAME,
    ) -> bytes:
        if frame is not self._frame:
            self._frame, self._events = frame, {}
        key = language, zone, sight.sees_values
        if key not in self._events:
            shown = sight.frame(frame)
            with speaking(language), times_in(zone):
                self._events[key] = _event(shown, attention(shown))
        return self._events[key]


def _event(frame: Frame, said: tuple[NoticeText, ...]) -> bytes:
    pools = [Pool.of(pool) for pool in frame.pools]
    texts = list(map(ShownNotice.of, said))
    data = shown(DeckFrame, frame, at=timestamp(frame.at), pools=pools, notices=texts)
    return b"event: deck\nid: %d\ndata: %s\n\n" % (frame.seq, msgspec.json.encode(data))


@router.get(
    "/events",
    response_class=Response,
    responses=_DESCRIPTION | bad(*READING),
)
async def follow(
    request: Request, server: ServerDep, sight: SightDep, lang: Literal["en", "zh-Hans"] = ENGLISH
) -> Response:
    """Follow the live picture; what the dashboard listens to. `lang` is that of `notices`."""
    session = session_of(request, server)
    zone = zone_of(request.scope)
    return EventStream(server, request.app.state.encoder, lang, sight, session, zone=zone)


class EventStream(OpenStream):
    """The frames of the feed, until it ends."""

    media_type = _MEDIA_TYPE

    def __init__(
        self,
        server: Server,
        encoder: Encoder,
        language: str,
        sight: Sight,
        session: str,
        *,
        zone: str,
    ) -> None:
        super().__init__(server, sight.principal, session)
        self._encoder = encoder
        self._language = language
        self._sight = sight
        self._zone = zone

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Send one event after another."""
        async with self._server.frames.subscribe() as frames:
            await self.last(self._flow(frames, send), receive, send)

    async def _flow(self, frames: AsyncIterator[Frame], send: Send) -> None:
        await self.begin(send)
        await send_part(send, _OPENING)
        await first_of(self._pump(frames, send), _beat(send))

    async def _pump(self, frames: AsyncIterator[Frame], send: Send) -> None:
        async for frame in frames:
            event = self._encoder.encode(
                frame, self._attention, self._language, self._sight, self._zone
            )
            await send_part(send, event)

    def _attention(self, frame: Frame) -> tuple[NoticeText, ...]:
        server = self._server
        return notices(frame, server.notices(frame), server.readiness, server.seen_notices)


async def _beat(send: Send) -> None:
    """Send a comment now and then, so that nothing on the way takes silence for death."""
    while True:
        await asyncio.sleep(_HEARTBEAT_SECONDS)
        await send_part(send, _HEARTBEAT)
