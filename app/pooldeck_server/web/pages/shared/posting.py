"""Forms of pages: what they hold, and the redirect that answers them."""

from typing import Final
from urllib.parse import parse_qsl

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import QueryParams

from pooldeck_server.domain.errors import InvalidRequest, TooLarge
from pooldeck_server.domain.pools.annotations import MAX_REASON
from pooldeck_server.web.http.redirects import HOME, own_path
from pooldeck_server.web.http.request_body import RequestBody, whole_body
from pooldeck_server.web.pages.shared.address import address
from pooldeck_server.web.pages.shared.flash import DID

_SMALL: Final = 64 * 1024  # bytes of a form without arguments
_MOST_FIELDS: Final = 1000
_URLENCODED: Final = "application/x-www-form-urlencoded"
_LONGEST_ESCAPE: Final = 3  # bytes that one takes in a form: "%7B"


def back_or(form: QueryParams, otherwise: Response) -> Response:
    """Return to the page that a form names as where it stood, else answer otherwise."""
    back = own_path(form.get("back") or HOME)
    return otherwise if back == HOME else RedirectResponse(back, 303)


def form_bytes(arguments: int) -> int:
    """Return how large a form may be that has `arguments` bytes of them, escaped."""
    return _LONGEST_ESCAPE * arguments + _SMALL


async def posted(request: Request, limit: int = _SMALL) -> QueryParams:
    """Return the fields of a form.

    Raises:
        TooLarge: If it has more than `limit` bytes, or too many fields.
        HTTPException: If it has a file, which no page asks for and which would lie on the disk.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == _URLENCODED:
        return _fields(await whole_body(request, limit))
    bounded = Request(request.scope, RequestBody(request.receive, limit).receive)
    async with bounded.form(max_files=0) as form:
        fields = form.multi_items()
        return QueryParams([(name, value) for name, value in fields if isinstance(value, str)])


def _fields(body: bytes) -> QueryParams:
    """Take a form apart at once: a parser that is fed pieces takes long for empty fields."""
    try:
        fields = parse_qsl(
            body.decode("latin-1"), keep_blank_values=True, max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise TooLarge(f"the form has more than {_MOST_FIELDS} fields") from None
    return QueryParams(fields)


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
