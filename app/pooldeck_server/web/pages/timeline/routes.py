"""The timeline: the page, and the bars that it draws."""

import msgspec
from fastapi import APIRouter, Request, Response

from pooldeck_server.domain.tasks.timeline import Timeline, TimelineRequest, unstored
from pooldeck_server.runtime.server import Service
from pooldeck_server.store import queries
from pooldeck_server.web.http.dependencies import ServiceDep
from pooldeck_server.web.http.responses import Answer
from pooldeck_server.web.pages.shared.page_route import PageRoute
from pooldeck_server.web.pages.shared.rendering import page
from pooldeck_server.web.pages.timeline.data import timeline_data
from pooldeck_server.web.pages.timeline.view import read_address, read_request, timeline_context

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/timeline")
async def timeline(request: Request, service: ServiceDep) -> Response:
    """Show what ran in which slot."""
    asked = read_address(request.query_params)
    now = service.clock.now()
    wanted = asked.request(now)
    found = await _read(service, wanted, now)
    choices = {
        "pool": list(service.settings.pools),
        "function": [function.spec.name for function in service.catalogue.functions()],
    }
    pools = service.feed.latest().pools
    context = timeline_context(asked, wanted, found, pools, choices=choices, now=now)
    return page(request, "timeline", "timeline/page.html", context)


@router.get("/timeline.json")
async def timeline_bars(request: Request, service: ServiceDep) -> Response:
    """Give the picture its bars and marks."""
    wanted = read_request(request.query_params)
    now = service.clock.now()
    found = await _read(service, wanted, now)
    marks = await service.read(
        queries.annotations, since=wanted.since, until=wanted.until, pool=wanted.pool
    )
    data = timeline_data(wanted, found, marks, service.feed.latest().pools, now)
    return Answer(msgspec.json.encode(data))


async def _read(service: Service, wanted: TimelineRequest, now: int) -> Timeline:
    """Return what is stored of a stretch, and what runs and is not stored yet."""
    found = await service.read(queries.timeline, wanted, tuple(service.settings.pools))
    if wanted.until < now:
        return found
    fresh = unstored(found.bars, service.feed.latest().pools, wanted, now)
    return msgspec.structs.replace(found, bars=(*fresh, *found.bars))
