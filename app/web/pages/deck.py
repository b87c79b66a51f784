"""The deck: the pools and their workers, live."""

from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from app.store import queries
from app.web.contexts.deck import MINUTES, deck_context, throughput
from app.web.dependencies import ServiceDep
from app.web.page_route import PageRoute
from app.web.rendering import page

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_MINUTE: Final = 60_000_000  # microseconds


@router.get("/")
async def deck(request: Request, service: ServiceDep) -> Response:
    """Show the pools and their workers."""
    context = deck_context(service.feed.latest(), service.start_report, service.clock.now())
    return page(request, "deck", "deck.html", context)


@router.get("/throughput.json")
async def throughput_data(service: ServiceDep) -> Response:
    """Give the chart of the deck its numbers."""
    minute = service.clock.now() // _MINUTE
    rows = await service.read(queries.activity, minute - MINUTES + 1)
    return JSONResponse(throughput(rows, minute))
