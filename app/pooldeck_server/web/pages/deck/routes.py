"""The deck: the pools and their workers, live, and a chart of what they did."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from markupsafe import Markup
from msgspec.structs import replace

from pooldeck_server.domain.clock import SECOND
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.pages.deck.chart import as_data_block, chart_context, chosen
from pooldeck_server.web.pages.deck.view import Narrowed, deck_context
from pooldeck_server.web.pages.functions.moves import misplaced_lines
from pooldeck_server.web.pages.shared.page_route import PageRoute
from pooldeck_server.web.pages.shared.rendering import bare_page, page

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_LONGEST: Final = 200  # characters of a name
_MARKS: Final = 200
_Name = Annotated[str, Query(max_length=_LONGEST)]


@router.get("/")
async def deck(
    request: Request, server: ServerDep, pool: _Name = "", function: _Name = ""
) -> Response:
    """Show the pools and their workers, or those that `pool` and `function` narrow it to."""
    narrowed = Narrowed(pool or None, function or None)
    context = deck_context(
        server.frames.latest(),
        server.run,
        server.clock.now(),
        server.catalogue,
        narrowed,
    )
    is_whole = narrowed == Narrowed()
    context |= _misplaced(server) if is_whole else {"misplaced": None}
    return page(request, "deck", "deck.html", context | await _chart(request, server, narrowed))


@router.get("/chart")
async def chart(
    request: Request, server: ServerDep, pool: _Name = "", function: _Name = ""
) -> Response:
    """Give an open deck the chart with its figures anew."""
    narrowed = Narrowed(pool or None, function or None)
    return bare_page(request, "chart.html", await _chart(request, server, narrowed))


@router.get("/misplaced")
async def misplaced(request: Request, server: ServerDep) -> Response:
    """Give an open deck the functions that would do better elsewhere anew."""
    return bare_page(request, "misplaced.html", _misplaced(server))


def _misplaced(server: Server) -> dict[str, Any]:
    return {"misplaced": misplaced_lines(server.advisor.misplaced())}


async def _chart(request: Request, server: Server, narrowed: Narrowed) -> dict[str, Any]:
    wanted = chosen(request.query_params, narrowed)
    now = server.clock.now()
    found = await server.read(queries.history, wanted, now)
    since = found.at[0] * SECOND
    marks = await server.read(queries.annotations, since, None, narrowed.pool, _MARKS)
    pools = tuple(server.settings.pools)
    shown = chart_context(replace(found, annotations=tuple(marks)), wanted, pools, now)
    data = Markup(as_data_block(shown["drawing"]))  # noqa: S704 - nothing in it ends the element
    return {"chart": shown, "chart_data": data}
