"""The list of functions."""

from typing import Final

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from pooldeck_server.domain.measurements.figures import Activity, Count, Spread
from pooldeck_server.store import queries
from pooldeck_server.web.http.dependencies import ServiceDep
from pooldeck_server.web.pages.functions.listing import (
    FLASHES,
    MINUTES,
    FunctionsData,
    functions_context,
)
from pooldeck_server.web.pages.shared.flash import flash
from pooldeck_server.web.pages.shared.page_route import PageRoute
from pooldeck_server.web.pages.shared.posting import done
from pooldeck_server.web.pages.shared.rendering import page

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_MINUTE: Final = 60  # seconds


@router.get("/functions")
async def functions(request: Request, service: ServiceDep, q: str = "") -> Response:
    """Show what can be called, how it fares, and what is on hold."""
    minute = service.clock.now() // (_MINUTE * 1_000_000)
    counts, activity, spreads = await service.read(_figures, minute - MINUTES + 1)
    read = FunctionsData(
        functions=service.catalogue.functions(),
        counts=counts,
        activity=activity,
        spreads=spreads,
        holds=service.holds(),
        minute=minute,
        is_known=service.catalogue.is_known,
        advice={advice.function: advice for advice in service.advisor.all()},
    )
    context = functions_context(read, q) | {"flashed": flash(request.query_params, FLASHES)}
    return page(request, "functions", "functions/page.html", context)


@router.post("/functions/{name}/release")
async def release(service: ServiceDep, name: str) -> Response:
    """Let a function on hold run again."""
    await service.release(name)
    return done("/functions", "released")


def _figures(
    connection: Connection, since: int
) -> tuple[list[Count], list[Activity], dict[str, Spread]]:
    """Read the figures since a minute (since the epoch)."""
    return (
        queries.counts(connection),
        queries.activity(connection, since),
        queries.spreads(connection, since * _MINUTE),
    )
