"""Forms of pages: what they hold, and the redirect that answers them."""

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import QueryParams

from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.web.pages.shared.flash import DID
from pooldeck_server.web.pages.tasks.address import address


async def posted(request: Request) -> QueryParams:
    """Return the fields of a form that was sent; files are left out."""
    async with request.form() as form:
        fields = form.multi_items()
        return QueryParams([(name, value) for name, value in fields if isinstance(value, str)])


def whole(form: QueryParams, name: str, low: int, high: int) -> int:
    """Return the whole number in the field `name`, from `low` to `high`.

    Raises:
        InvalidRequest: If there is none.
    """
    text = form.get(name, "").strip()
    if text.isdecimal() and len(text) <= len(str(high)) and low <= int(text) <= high:
        return int(text)
    raise InvalidRequest(f"{name}: expected a whole number from {low} to {high:,}")


def done(path: str, did: str, fragment: str = "", **more: str) -> Response:
    """Send the browser on to a page that says what was done.

    Args:
        path: The page.
        did: What was done, in a word that the page knows.
        fragment: The part of the page to show.
        more: Further parameters of its address.
    """
    where = address(path, [(DID, did), *more.items()])
    return RedirectResponse(f"{where}#{fragment}" if fragment else where, status_code=303)
