"""Groups of errors: what failed alike, how often, and what somebody decides about it."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from pooldeck_server.domain.failures.error_groups import (
    GroupChange,
    GroupFilter,
    GroupSort,
    GroupState,
)
from pooldeck_server.domain.tasks.task import TaskFilter
from pooldeck_server.store import queries
from pooldeck_server.web.api.schemas import BulkDone, ErrorGroup, ErrorGroupList
from pooldeck_server.web.http.dependencies import DEFAULT_LIMIT, Limit, NamePath, ServerDep
from pooldeck_server.web.http.responses import CHANGING, READING, answer, bad, good

router = APIRouter(prefix="/errors", tags=["errors"])

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FUNCTIONS_AT_ONCE: Final = 50


class ErrorQuery(BaseModel):
    """Filters of the same name add up, different ones narrow."""

    model_config = ConfigDict(extra="forbid")

    state: list[GroupState] = Field(default=[], max_length=len(GroupState))
    function: list[str] = Field(
        default=[],
        max_length=_FUNCTIONS_AT_ONCE,
        description="Failed so in the 24 hours up to the last failure.",
    )
    since: AwareDatetime | None = Field(default=None, description="Seen then or later.")
    sort: GroupSort = Field(
        default=GroupSort.SEEN, description="Seen last, or counted most, comes first."
    )
    limit: Limit = DEFAULT_LIMIT
    cursor: str | None = Field(
        default=None, max_length=200, description="`next_cursor` of the page before."
    )

    def filter(self) -> GroupFilter:
        """Return what the store looks for."""
        since = None
        if self.since is not None:
            since = (self.since - _EPOCH) // timedelta(microseconds=1)
        return GroupFilter(tuple(self.state), tuple(self.function), since, self.sort)


@router.get("", responses=good(ErrorGroupList, "A page of groups.") | bad(*READING))
async def list_errors(server: ServerDep, query: Annotated[ErrorQuery, Query()]) -> Response:
    """List groups of errors, with how often each was seen in the last 24 hours."""
    now = server.clock.now()
    found = await server.read(queries.error_groups, query.filter(), now, query.limit, query.cursor)
    return answer(ErrorGroupList.of(found))


@router.get("/{name}", responses=good(ErrorGroup, "The group.") | bad(*READING, 404))
async def get_error(server: ServerDep, name: NamePath) -> Response:
    """Return one group of errors; its tasks are those of `GET /api/v1/tasks?group=ID`."""
    return answer(ErrorGroup.of(await server.errors.report(name)))


@router.post("/{name}/retry", responses=good(BulkDone, "How many.") | bad(*CHANGING, 404))
async def retry_error(server: ServerDep, name: NamePath) -> Response:
    """Run all tasks again that ended with an error of the group."""
    await server.errors.report(name)
    return answer(await server.tasks.retry_all(TaskFilter(groups=(name,))))


@router.post(
    "/{name}/{change}",
    responses=good(ErrorGroup, "The group, as it is now.") | bad(*CHANGING, 404, 409),
)
async def change_error(server: ServerDep, name: NamePath, change: GroupChange) -> Response:
    """Decide about a group.

    `mute`: count it, but say nothing of it; `unmute` ends that. `fix`: it is mended; if a task that
    starts later fails so, it has returned, and every page says so until `reopen`, `mute` or `fix`.
    """
    await server.errors.change(name, change)
    return answer(ErrorGroup.of(await server.errors.report(name)))
