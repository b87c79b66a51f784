"""The reference of the API, from the same document that programs get at /openapi.json."""

from fastapi import Request, Response

from pooldeck_server.web.http.dependencies import SightDep
from pooldeck_server.web.http.sight import Sight
from pooldeck_server.web.pages.reference.calls import calls
from pooldeck_server.web.pages.reference.view import Group, ReferenceView, group_view, groups
from pooldeck_server.web.pages.shared.rendering import page_router, render
from pooldeck_server.web.pages.shared.snippets import address_of

router = page_router()


@router.get("/docs")
async def reference(request: Request, sight: SightDep) -> Response:
    return render(request, ReferenceView(_groups(request, sight)))


@router.get("/docs/{group}")
async def group(request: Request, sight: SightDep, group: str) -> Response:
    return render(request, group_view(request.app.openapi(), _groups(request, sight), group))


def _groups(request: Request, sight: Sight) -> tuple[Group, ...]:
    document = request.app.openapi()
    return groups(document, list(calls(document, sight.principal, address_of(request))))
