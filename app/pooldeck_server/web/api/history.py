"""History: series over time for charts, and what was done and happened meanwhile."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from msgspec import Meta, Struct
from msgspec.structs import astuple, replace

from pooldeck_server.domain.pools.history import STEPS, ChartRequest, Grouping, Series
from pooldeck_server.store import queries
from pooldeck_server.web.api.queries import PageSize, asks, moment, read_query
from pooldeck_server.web.api.schemas.history import Annotation, AnnotationList, History
from pooldeck_server.web.api.schemas.types import shown, timestamp
from pooldeck_server.web.http.dependencies import DEFAULT_LIMIT, ServerDep, SightDep
from pooldeck_server.web.http.responses import READING, answer, bad, good

router = APIRouter(tags=["history"])

_AT_ONCE: Final = 50


class HistoryQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which series, of the last so many seconds, with a line for each of what."""

    series: Series = "throughput"
    period: Annotated[
        int, Meta(description="Seconds.", extra_json_schema={"enum": sorted(STEPS)})
    ] = 3600
    by: Grouping = "none"
    pool: Annotated[
        tuple[str, ...], Meta(max_length=_AT_ONCE, description="Only of these pools.")
    ] = ()
    function: Annotated[
        tuple[str, ...], Meta(max_length=_AT_ONCE, description="Only of these functions.")
    ] = ()


@router.get(
    "/history",
    responses=good(History, "The series.") | bad(*READING),
    openapi_extra=asks(HistoryQuery),
)
async def get_history(server: ServerDep, sight: SightDep, request: Request) -> Response:
    """Return a series over time, with what was done and happened meanwhile.

    Shown are at most ten lines: those that weigh most, and the rest as "others".
    """
    wanted = ChartRequest(*astuple(read_query(HistoryQuery, request)))
    wanted.check()
    found = await server.read(queries.history, wanted, server.clock.now())
    return answer(History.of(replace(found, annotations=sight.annotations(found.annotations))))


class AnnotationQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which annotations a list shows."""

    since: Annotated[datetime, Meta(tz=True, description="Then or later.")] | None = None
    until: Annotated[datetime, Meta(tz=True, description="Before then.")] | None = None
    pool: (
        Annotated[str, Meta(max_length=200, description="Only what concerns this pool.")] | None
    ) = None
    limit: PageSize = DEFAULT_LIMIT


@router.get(
    "/annotations",
    responses=good(AnnotationList, "Newest first.") | bad(*READING),
    openapi_extra=asks(AnnotationQuery),
)
async def list_annotations(server: ServerDep, request: Request) -> Response:
    """List what was done to pools and what befell them, newest first."""
    asked = read_query(AnnotationQuery, request)
    since, until = moment(asked.since), moment(asked.until)
    found = await server.read(queries.annotations, since, until, asked.pool, asked.limit)
    return answer(
        AnnotationList([shown(Annotation, each, at=timestamp(each.at)) for each in found])
    )
