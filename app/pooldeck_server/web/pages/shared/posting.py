"""Forms of pages: what they hold, and the redirect that answers them."""

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import QueryParams

from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.pools.annotations import MAX_REASON
from pooldeck_server.web.pages.shared.address import address
from pooldeck_server.web.pages.shared.flash import DID


async def posted(request: Request) -> QueryParams:
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


def reason(form: QueryParams) -> str | None:
    """Return the reason that was given in a form, None if there is none.

    Raises:
        InvalidRequest: If it is too long to be kept.
    """
    given = form.get("reason", "").strip()
    if len(given) > MAX_REASON:
        raise InvalidRequest(f"reason: at most {MAX_REASON} characters, not {len(given)}")
    return given or None


def done(path: str, did: str, fragment: str = "", **more: str) -> Response:
    """Send the browser on to a page that says what was done, by a word that it knows."""
    where = address(path, [(DID, did), *more.items()])
    return RedirectResponse(f"{where}#{fragment}" if fragment else where, status_code=303)
