"""A route whose errors are pages for people instead of problem documents for programs."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from app.domain.errors import PooldeckError
from app.web.errors import STATUS
from app.web.formats import sentence
from app.web.rendering import bare_page


class PageRoute(APIRoute):
    """Renders `error.html` where a page cannot be made."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route's handler, with errors turned into pages."""
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except PooldeckError as error:
                return error_page(request, error, STATUS[type(error)])

        return answer


def error_page(request: Request, error: PooldeckError, status: int) -> Response:
    """Return the page that tells a person of `error`."""
    said = {"title": error.title, "detail": sentence(error.detail)}
    return bare_page(request, "error.html", said, status)
