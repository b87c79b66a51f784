"""The timeline: the page, and the bars that it draws."""

import msgspec
from fastapi import Request, Response

from pooldeck_server.domain.tasks.timeline import TimelineRequest
from pooldeck_server.runtime.server import Service
from pooldeck_server.web.http.dependencies import ServiceDep
from pooldeck_server.web.http.responses import Answer
from pooldeck_server.web.pages.shared.rendering import page_router, render
from pooldeck_server.web.pages.timeline.bars import timeline_json
from pooldeck_server.web.pages.timeline.data import TimelineData, read
from pooldeck_server.web.pages.timeline.view import read_address, read_request, timeline_view

router = page_router()


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
    shown = timeline_view(asked, wanted, found.timeline, pools, choices=choices, now=now)
    return render(request, shown)


@router.get("/timeline.json")
async def timeline_bars(request: Request, service: ServiceDep) -> Response:
    """Give the picture its bars and marks."""
    wanted = read_request(request.query_params)
    now = service.clock.now()
    found = await _read(service, wanted, now)
    bars = timeline_json(found, service.feed.latest().pools, wanted, now)
    return Answer(msgspec.json.encode(bars))


async def _read(service: Service, wanted: TimelineRequest, now: int) -> TimelineData:
    found = await service.read(read, wanted, tuple(service.settings.pools))
    return found.up_to_now(service.feed.latest().pools, wanted, now)
