"""Watches: the ends of many tasks on one open answer, as lines of JSON."""

from contextlib import aclosing
from typing import Final

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.types import Receive, Scope, Send

from pooldeck_server.domain.tasks.ends import WatchNews
from pooldeck_server.runtime.recording.watch import LONGEST_END, Watch
from pooldeck_server.runtime.server import Server
from pooldeck_server.web.api.bodies import MoreWatched, WatchRequest, read_more_watched, read_watch
from pooldeck_server.web.api.reading import body_of, bytes_of_watch
from pooldeck_server.web.api.schemas.watches import WatchedEnd, Watching, WatchLine
from pooldeck_server.web.api.streams import OpenStream, send_part, session_of
from pooldeck_server.web.http.compression import NDJSON
from pooldeck_server.web.http.dependencies import ServerDep, SightDep
from pooldeck_server.web.http.responses import (
    WRITING,
    Responses,
    answer,
    bad,
    good,
    reference,
    takes,
)
from pooldeck_server.web.http.sight import Sight

router = APIRouter(prefix="/watches", tags=["live"])

_LINES: Final[Responses] = {
    200: {
        "description": "Lines of JSON, until the client goes or the server ends.",
        "content": {NDJSON: {"schema": reference(WatchLine)}},
    }
}
_OVER: Final = WatchLine(over="draining")
_EXAMPLE: Final = {"ids": ["019ad5a2-3c10-7b4e-9f8e-2d64a7c0ffee"]}
_encode = msgspec.json.Encoder().encode


@router.post(
    "",
    response_class=Response,
    responses=_LINES | bad(*WRITING),
    openapi_extra=takes(WatchRequest, _EXAMPLE),
)
async def open_watch(request: Request, server: ServerDep, sight: SightDep) -> Response:
    """Watch tasks: tell their ends as they come, on an answer that stays open.

    The first line has the id of the watch, by which more tasks are added. Those that have ended
    already are told at once. Every 10 seconds of silence there is an empty line.
    """
    wanted = await body_of(request, read_watch, server.settings.limits, bytes_of_watch)
    return WatchStream(server, sight, session_of(request, server), wanted)


@router.post(
    "/{watch}",
    responses=good(Watching, "They are watched, too.") | bad(*WRITING, 404),
    openapi_extra=takes(MoreWatched, _EXAMPLE),
)
async def watch_more(request: Request, server: ServerDep, sight: SightDep, watch: str) -> Response:
    """Add tasks to a watch. Where it is gone, open a new one with all that are outstanding."""
    server.watches.get(watch, sight.principal)
    wanted = await body_of(request, read_more_watched, server.settings.limits, bytes_of_watch)
    found = server.watches.get(watch, sight.principal)  # it may have ended while the body came
    server.watches.add(found, wanted.ids)
    return answer(Watching(len(found)))


class WatchStream(OpenStream):
    """What a watch tells, as lines; the watch lasts as long as somebody reads them."""

    media_type = NDJSON

    def __init__(self, server: Server, sight: Sight, session: str, wanted: WatchRequest) -> None:
        super().__init__(server, sight.principal, session)
        self._sight = sight
        self._wanted = wanted

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Send one line after another."""
        wanted = self._wanted
        watches = self._server.watches
        with watches.open(self._principal, wanted.ids, tells_starts=wanted.starts) as watch:
            await self.last(self._flow(watch, send), receive, send)

    async def _flow(self, watch: Watch, send: Send) -> None:
        await self.begin(send)
        await send_part(send, _line(WatchLine(watch=watch.id)))
        async with aclosing(watch.news()) as told:
            async for news in told:
                await send_part(send, _line(self._shown(news)))
        await send_part(send, _line(_OVER))

    def _shown(self, news: WatchNews) -> WatchLine:
        attempt = self._sight.attempt
        ends = tuple(WatchedEnd.of(attempt(end), LONGEST_END) for end in news.ends)
        return WatchLine(ends=ends, starts=news.starts, unknown=news.unknown)


def _line(line: WatchLine) -> bytes:
    return _encode(line) + b"\n"
