"""A route for people: it speaks their language, and its errors are pages, no problem documents."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.web.http.errors import STATUS
from pooldeck_server.web.http.language import language_of
from pooldeck_server.web.pages.shared.rendering import bare_page
from pooldeck_server.web.text.formats import sentence
from pooldeck_server.web.text.i18n import _, speaking


class PageRoute(APIRoute):
    """Answers in the reader's language; renders `error.html` where a page cannot be made."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route's handler, with errors turned into pages."""
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            with speaking(language_of(request)):
                try:
                    return await handler(request)
                except PooldeckError as error:
                    return error_page(request, error, STATUS[type(error)])

        return answer


def error_page(request: Request, error: PooldeckError, status: int) -> Response:
    """Return the page that tells a person of `error`."""
    said = {"title": _(error.title), "detail": sentence(error.detail)}
    return bare_page(request, "shared/error.html", said, status)
