"""History: series over time for charts, and what was done and happened meanwhile."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, TypeAlias

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from pooldeck_server.domain.pools.history import STEPS, ChartRequest, Grouping, Series
from pooldeck_server.store import queries
from pooldeck_server.web.api.schemas import AnnotationList, History
from pooldeck_server.web.api.schemas.history import Annotation
from pooldeck_server.web.http.dependencies import DEFAULT_LIMIT, Limit, ServerDep
from pooldeck_server.web.http.responses import READING, answer, bad, good

router = APIRouter(tags=["history"])

_AT_ONCE: Final = 50
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PERIODS: Final = ", ".join(map(str, STEPS))
_Names: TypeAlias = Annotated[list[str], Field(max_length=_AT_ONCE)]


class HistoryQuery(BaseModel):
    """Which series, of the last so many seconds, with a line for each of what."""

    model_config = ConfigDict(extra="forbid")

    series: Series = "throughput"
    period: int = Field(default=3600, description=f"Seconds: {_PERIODS}.")
    by: Grouping = "none"
    pool: _Names = Field(default=[], description="Only of these pools.")
    function: _Names = Field(default=[], description="Only of these functions.")

    def request(self) -> ChartRequest:
        """Return what the store looks for.

        Raises:
            InvalidRequest: If it cannot be shown.
        """
        wanted = ChartRequest(
            series=self.series,
            period=self.period,
            by=self.by,
            pools=tuple(self.pool),
            functions=tuple(self.function),
        )
        wanted.check()
        return wanted


@router.get("/history", responses=good(History, "The series.") | bad(*READING))
async def get_history(server: ServerDep, query: Annotated[HistoryQuery, Query()]) -> Response:
    """Return a series over time, with what was done and happened meanwhile.

    Shown are at most ten lines: those that weigh most, and the rest as "others".
    """
    chart = await server.read(queries.history, query.request(), server.clock.now())
    return answer(History.of(chart))


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
    found = await server.read(
        queries.annotations, _microseconds(since), _microseconds(until), pool, limit
    )
    return answer(AnnotationList([Annotation.of(annotation) for annotation in found]))


def _microseconds(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - _EPOCH) // timedelta(microseconds=1)
