"""Groups of errors: the list, one of them, and what is decided about them."""

from typing import Final

from fastapi import Request, Response

from pooldeck_server.domain.failures.error_groups import GroupChange
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.pages.errors.data import read, read_group
from pooldeck_server.web.pages.errors.view import ErrorsQuery, error_group_view, errors_view
from pooldeck_server.web.pages.shared.posting import done, posted
from pooldeck_server.web.pages.shared.rendering import page_router, render

router = page_router()

_OF_LIST: Final = "list"
"""The field of a form that stands in the list: its answer leads back there."""


@router.get("/errors")
async def errors(request: Request, server: ServerDep, cursor: str = "") -> Response:
    view = ErrorsQuery.of(request.query_params)
    found = await server.read(read, view.filter(), cursor or None, server.clock.now())
    names = [function.spec.name for function in server.catalogue.functions()]
    return render(request, errors_view(view, found, names, is_first=not cursor))


@router.get("/errors/{group_id}")
async def error_group(request: Request, server: ServerDep, group_id: str) -> Response:
    found = await server.read(read_group, group_id, server.clock.now())
    return render(request, error_group_view(found))


@router.post("/errors/{group_id}/{change}")
async def change_group(
    request: Request, server: ServerDep, group_id: str, change: GroupChange
) -> Response:
    form = await posted(request)
    await server.errors.change(group_id, change)
    if _OF_LIST in form:
        return done("/errors", change, **dict(ErrorsQuery.of(form).pairs()))
    return done(f"/errors/{group_id}", change)
