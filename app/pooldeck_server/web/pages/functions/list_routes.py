"""The list of functions."""

from typing import Final

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from pooldeck_server.domain.clock import MINUTE
from pooldeck_server.domain.measurements.figures import Activity, Count, Spread
from pooldeck_server.store import queries
from pooldeck_server.web.http.dependencies import ServerDep
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
async def functions(request: Request, server: ServerDep, q: str = "") -> Response:
    """Show what can be called, how it fares, and what is on hold."""
    minute = server.clock.now() // MINUTE
    counts, activity, spreads = await server.read(_figures, minute - MINUTES + 1)
    read = FunctionsData(
        functions=server.catalogue.functions(),
        counts=counts,
        activity=activity,
        spreads=spreads,
        holds=server.holds.all(),
        minute=minute,
        is_known=server.catalogue.is_known,
        advice={advice.function: advice for advice in server.advisor.all()},
    )
    context = functions_context(read, q) | {"flashed": flash(request.query_params, FLASHES)}
    return page(request, "functions", "functions.html", context)


@router.post("/functions/{name}/release")
async def release(server: ServerDep, name: str) -> Response:
    """Let a function on hold run again."""
    await server.holds.release(name)
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
