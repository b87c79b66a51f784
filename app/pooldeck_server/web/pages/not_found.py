"""The pages at an address that leads nowhere, and where somebody may not go.

Programs get a problem there.
"""

from typing import Any

from fastapi import Request, Response
from starlette.exceptions import HTTPException

from pooldeck_server.domain.errors import Forbidden, NotFound
from pooldeck_server.web.http.errors import STATUS, from_starlette
from pooldeck_server.web.http.language import language_of
from pooldeck_server.web.http.routes import Routes
from pooldeck_server.web.pages.shared.rendering import error_page
from pooldeck_server.web.text.i18n import speaking


def install(routes: Routes) -> None:
    routes.add_exception_handler(HTTPException, _answer)
    routes.state.refuse = _refuse


async def _answer(request: Request, error: Any) -> Response:
    if error.status_code != STATUS[NotFound] or not _is_a_person(request):
        return await from_starlette(request, error)
    with speaking(language_of(request)):
        nothing = NotFound(f"there is nothing at {request.url.path}")
        return error_page(request, nothing, error.status_code)


def _refuse(request: Request, error: Forbidden) -> Response | None:
    """Return the page that says what somebody may not do; None for programs."""
    if "text/html" not in request.headers.get("accept", ""):
        return None
    with speaking(language_of(request)):
        return error_page(request, error, STATUS[Forbidden])


def _is_a_person(request: Request) -> bool:
    """Tell whether a browser asks for a page, not a script or a program for data."""
    return request.method == "GET" and "text/html" in request.headers.get("accept", "")
