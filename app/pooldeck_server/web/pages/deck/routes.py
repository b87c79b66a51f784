"""The deck: the pools and their workers, live, and a chart of what they did."""

from typing import Annotated

from fastapi import Query, Request, Response
from msgspec.structs import replace

from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from pooldeck_server.web.http.dependencies import ServerDep, SightDep
from pooldeck_server.web.http.sight import Sight
from pooldeck_server.web.pages.deck.chart import ShownChart, chosen, shown_chart
from pooldeck_server.web.pages.deck.data import read
from pooldeck_server.web.pages.deck.failing import FailingFragment, failing_rows
from pooldeck_server.web.pages.deck.view import (
    ChartFragment,
    DeckView,
    MisplacedFragment,
    Narrowed,
    pools_shown,
    story,
    tile_colours,
)
from pooldeck_server.web.pages.shared.moves import MisplacedRow, misplaced_lines
from pooldeck_server.web.pages.shared.rendering import page_router, render

router = page_router()

_Name = Annotated[str, Query(max_length=200)]


@router.api_route("/", methods=["GET", "HEAD"])
async def deck(
    request: Request, server: ServerDep, sight: SightDep, pool: _Name = "", function: _Name = ""
) -> Response:
    narrowed = Narrowed(pool or None, function or None)
    chart = await _chart(request, server, sight, narrowed)
    now = server.clock.now()
    found, more = await server.read(queries.failing, now, narrowed.pool)
    frame, run = sight.frame(server.frames.latest()), server.run
    pools = pools_shown(frame, server.catalogue, narrowed)
    shown = DeckView(
        story=story(run, now),
        started_at=run.started_at,
        pools=pools,
        colours=tile_colours(pools, chart),
        pool_names=[each.name for each in frame.pools],
        function_names=[each.spec.name for each in server.catalogue.functions()],
        narrowed=narrowed,
        misplaced=_misplaced(server) if narrowed == Narrowed() else None,
        failing=failing_rows(found),
        failing_more=more,
        chart=chart,
    )
    return render(request, shown)


@router.get("/chart")
async def chart(
    request: Request, server: ServerDep, sight: SightDep, pool: _Name = "", function: _Name = ""
) -> Response:
    shown = await _chart(request, server, sight, Narrowed(pool or None, function or None))
    return render(request, ChartFragment(shown))


@router.get("/failing")
async def failing(request: Request, server: ServerDep, pool: _Name = "") -> Response:
    now = server.clock.now()
    found, more = await server.read(queries.failing, now, pool or None)
    return render(request, FailingFragment(failing_rows(found), more, now))


@router.get("/misplaced")
async def misplaced(request: Request, server: ServerDep) -> Response:
    return render(request, MisplacedFragment(_misplaced(server)))


def _misplaced(server: Server) -> list[MisplacedRow]:
    return misplaced_lines(server.advisor.misplaced())


async def _chart(request: Request, server: Server, sight: Sight, narrowed: Narrowed) -> ShownChart:
    wanted = chosen(request.query_params, narrowed.pool, narrowed.function)
    now = server.clock.now()
    found = await server.read(read, wanted, narrowed.pool, now)
    found = replace(found, annotations=sight.annotations(found.annotations))
    return shown_chart(found, wanted, tuple(server.settings.pools), now)
