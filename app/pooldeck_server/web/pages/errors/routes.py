"""Groups of errors: the list, one of them, and what is decided about them."""

from typing import Final

from fastapi import APIRouter, Request, Response

from pooldeck_server.domain.failures.error_groups import GroupChange
from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.pages.errors.view import (
    DAYS,
    FLASHES,
    PAGE_SIZE,
    ErrorGroupData,
    ErrorsView,
    error_group_context,
    errors_context,
)
from pooldeck_server.web.pages.shared.flash import flash
from pooldeck_server.web.pages.shared.page_route import PageRoute
from pooldeck_server.web.pages.shared.posting import done, posted
from pooldeck_server.web.pages.shared.rendering import page

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_TASKS: Final = 10
_MOST_RETRYABLE: Final = 10_001
_OF_LIST: Final = "list"
"""The field of a form that stands in the list: its answer leads back there."""


@router.get("/errors")
async def errors(request: Request, server: ServerDep, cursor: str = "") -> Response:
    """Show the failures in groups."""
    view = ErrorsView.of(request.query_params)
    now = server.clock.now()
    found = await server.read(queries.error_groups, view.filter(), now, PAGE_SIZE, cursor or None)
    counts = await server.read(queries.error_group_counts)
    names = [function.spec.name for function in server.catalogue.functions()]
    context = errors_context(view, found, counts, names, is_first=not cursor)
    context["flashed"] = flash(request.query_params, FLASHES)
    return page(request, "errors", "errors.html", context)


@router.get("/errors/{group_id}")
async def error_group(request: Request, server: ServerDep, group_id: str) -> Response:
    """Show one group: its latest error, its hours, its functions, its tasks."""
    context = error_group_context(await _read(server, group_id), _MOST_RETRYABLE)
    context["flashed"] = flash(request.query_params, FLASHES)
    return page(request, "errors", "error_group.html", context)


@router.post("/errors/{group_id}/{change}")
async def change_group(
    request: Request, server: ServerDep, group_id: str, change: GroupChange
) -> Response:
    """Decide about a group, and show where that was done."""
    form = await posted(request)
    await server.errors.change(group_id, change)
    if _OF_LIST in form:
        return done("/errors", change, **dict(ErrorsView.of(form).pairs()))
    return done(f"/errors/{group_id}", change)


async def _read(server: Server, group_id: str) -> ErrorGroupData:
    report = await server.errors.report(group_id, DAYS * 24)
    latest = TaskFilter(groups=(group_id,))
    return ErrorGroupData(
        report=report,
        attempts=await server.read(queries.attempts, report.group.last_task),
        tasks=(await server.read(queries.tasks, latest, _TASKS)).items,
        retryable=await server.read(queries.count_in_error_group, group_id, _MOST_RETRYABLE),
    )
