"""The timeline: the page, and the bars that it draws."""

import msgspec
from fastapi import Request, Response

from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.tasks.timeline import TimelineRequest
from pooldeck_server.runtime.server import Server
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.http.errors import STATUS
from pooldeck_server.web.http.responses import Answer
from pooldeck_server.web.pages.shared.rendering import page_router, render
from pooldeck_server.web.pages.timeline.bars_json import timeline_json
from pooldeck_server.web.pages.timeline.data import TimelineData, read
from pooldeck_server.web.pages.timeline.view import (
    TimelineQuery,
    read_address,
    read_request,
    timeline_view,
)
from pooldeck_server.web.text import formats

router = page_router()


@router.get("/timeline")
async def timeline(request: Request, server: ServerDep) -> Response:
    now, problem = server.clock.now(), ""
    try:
        asked = read_address(request.query_params)
    except InvalidRequest as error:
        asked, problem = TimelineQuery(), formats.sentence(error.detail)
    wanted = asked.request(now)
    found = await _read(server, wanted, now)
    choices = {
        "pool": list(server.settings.pools),
        "function": [function.spec.name for function in server.catalogue.functions()],
    }
    pools = server.frames.latest().pools
    shown = timeline_view(
        asked, wanted, found.timeline, pools, choices=choices, problem=problem, now=now
    )
    return render(request, shown, STATUS[InvalidRequest] if problem else 200)


@router.get("/timeline.json")
async def timeline_bars(request: Request, server: ServerDep) -> Response:
    wanted = read_request(request.query_params)
    now = server.clock.now()
    found = await _read(server, wanted, now)
    bars = timeline_json(found, server.frames.latest().pools, wanted, now)
    return Answer(msgspec.json.encode(bars))


async def _read(server: Server, wanted: TimelineRequest, now: int) -> TimelineData:
    found = await server.read(read, wanted, tuple(server.settings.pools))
    return found.up_to_now(server.frames.latest().pools, wanted, now)
