"""Groups of errors: what failed alike, how often, and what somebody decides about it."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from msgspec import Meta, Struct

from pooldeck_server.domain.failures.error_groups import (
    GroupChange,
    GroupFilter,
    GroupSort,
    GroupState,
)
from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.domain.tasks.submission import BulkDone
from pooldeck_server.store import queries
from pooldeck_server.web.api.queries import Cursor, PageSize, asks, moment, read_query
from pooldeck_server.web.api.schemas.errors import ErrorGroup, ErrorGroupList
from pooldeck_server.web.http.dependencies import DEFAULT_LIMIT, NamePath, ServerDep
from pooldeck_server.web.http.responses import CHANGING, READING, answer, bad, good

router = APIRouter(prefix="/errors", tags=["errors"])

_FUNCTIONS_AT_ONCE: Final = 50


class ErrorQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Filters of the same name add up, different ones narrow."""

    state: Annotated[tuple[GroupState, ...], Meta(max_length=len(GroupState))] = ()
    function: Annotated[
        tuple[str, ...],
        Meta(
            max_length=_FUNCTIONS_AT_ONCE,
            description="Failed so in the 24 hours up to the last failure.",
        ),
    ] = ()
    since: Annotated[datetime, Meta(tz=True, description="Seen then or later.")] | None = None
    sort: Annotated[GroupSort, Meta(description="Seen last, or counted most, comes first.")] = (
        GroupSort.SEEN
    )
    limit: PageSize = DEFAULT_LIMIT
    cursor: Cursor | None = None


@router.get(
    "",
    responses=good(ErrorGroupList, "A page of groups.") | bad(*READING),
    openapi_extra=asks(ErrorQuery),
)
async def list_errors(server: ServerDep, request: Request) -> Response:
    """List groups of errors, with how often each was seen in the last 24 hours."""
    query, now = read_query(ErrorQuery, request), server.clock.now()
    wanted = GroupFilter(query.state, query.function, moment(query.since), query.sort)
    page = await server.read(queries.error_groups, wanted, now, query.limit, query.cursor)
    return answer(ErrorGroupList(list(map(ErrorGroup.of, page.items)), page.next_cursor))


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
