"""History: series over time for charts, and what was done and happened meanwhile."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from msgspec import Meta, Struct
from msgspec.structs import astuple
from pydantic import AwareDatetime

from pooldeck_server.domain.pools.history import STEPS, ChartRequest, Grouping, Series
from pooldeck_server.store import queries
from pooldeck_server.web.api.queries import asks, moment, read_query
from pooldeck_server.web.api.schemas.history import Annotation, AnnotationList, History
from pooldeck_server.web.api.schemas.types import shown, timestamp
from pooldeck_server.web.http.dependencies import DEFAULT_LIMIT, Limit, ServerDep
from pooldeck_server.web.http.responses import READING, answer, bad, good

router = APIRouter(tags=["history"])

_AT_ONCE: Final = 50
_PERIODS: Final = ", ".join(map(str, STEPS))


class HistoryQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which series, of the last so many seconds, with a line for each of what."""

    series: Series = "throughput"
    period: Annotated[int, Meta(description=f"Seconds: {_PERIODS}.")] = 3600
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
async def get_history(server: ServerDep, request: Request) -> Response:
    """Return a series over time, with what was done and happened meanwhile.

    Shown are at most ten lines: those that weigh most, and the rest as "others".
    """
    wanted = ChartRequest(*astuple(read_query(HistoryQuery, request)))
    wanted.check()
    return answer(History.of(await server.read(queries.history, wanted, server.clock.now())))


@router.get("/annotations", responses=good(AnnotationList, "Newest first.") | bad(*READING))
async def list_annotations(
    server: ServerDep,
    since: Annotated[AwareDatetime | None, Query(description="Then or later.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Before then.")] = None,
    pool: Annotated[
        str | None, Query(max_length=200, description="Only what concerns this pool.")
    ] = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """List what was done to pools and what befell them, newest first."""
    found = await server.read(queries.annotations, moment(since), moment(until), pool, limit)
    return answer(
        AnnotationList([shown(Annotation, each, at=timestamp(each.at)) for each in found])
    )
