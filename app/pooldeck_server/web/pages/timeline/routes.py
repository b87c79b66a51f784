"""The timeline: the page, and the bars that it draws."""

import msgspec
from fastapi import APIRouter, Request, Response

from pooldeck_server.domain.tasks.timeline import Timeline, TimelineRequest, unstored
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.http.responses import Answer
from pooldeck_server.web.pages.shared.page_route import PageRoute
from pooldeck_server.web.pages.shared.rendering import page
from pooldeck_server.web.pages.timeline.data import timeline_data
from pooldeck_server.web.pages.timeline.view import read_address, read_request, timeline_context

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/timeline")
async def timeline(request: Request, server: ServerDep) -> Response:
    """Show what ran in which slot."""
    asked = read_address(request.query_params)
    now = server.clock.now()
    wanted = asked.request(now)
    found = await _read(server, wanted, now)
    choices = {
        "pool": list(server.settings.pools),
        "function": [function.spec.name for function in server.catalogue.functions()],
    }
    pools = server.frames.latest().pools
    context = timeline_context(asked, wanted, found, pools, choices=choices, now=now)
    return page(request, "timeline", "timeline.html", context)


@router.get("/timeline.json")
async def timeline_bars(request: Request, server: ServerDep) -> Response:
    """Give the picture its bars and marks."""
    wanted = read_request(request.query_params)
    now = server.clock.now()
    found = await _read(server, wanted, now)
    marks = await server.read(
        queries.annotations, since=wanted.since, until=wanted.until, pool=wanted.pool
    )
    data = timeline_data(wanted, found, marks, server.frames.latest().pools, now)
    return Answer(msgspec.json.encode(data))


async def _read(server: Server, wanted: TimelineRequest, now: int) -> Timeline:
    """Return what is stored of a stretch, and what runs and is not stored yet."""
    found = await server.read(queries.timeline, wanted, tuple(server.settings.pools))
    if wanted.until < now:
        return found
    fresh = unstored(found.bars, server.frames.latest().pools, wanted, now)
    return msgspec.structs.replace(found, bars=(*fresh, *found.bars))
