"""Errors into HTTP: each class its status, each answer a problem document (RFC 9457)."""

import logging
import secrets
from http import HTTPStatus
from typing import Any, Final

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from pooldeck_server.domain import errors
from pooldeck_server.domain.errors import (
    Internal,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    PooldeckError,
)
from pooldeck_server.domain.log_subjects import about
from pooldeck_server.web.http.mount import path_of
from pooldeck_server.web.http.rules import RULES, rules_at

MEDIA_TYPE: Final = "application/problem+json"
STATUS: Final[dict[type[PooldeckError], int]] = {
    errors.MalformedJson: 400,
    errors.MalformedRequest: 400,
    errors.Unauthorized: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.RequestTimeout: 408,
    errors.Conflict: 409,
    errors.ArgumentsErased: 409,
    errors.TaskDeleted: 410,
    errors.TooLarge: 413,
    errors.UnsupportedMediaType: 415,
    errors.WrongHost: 421,
    errors.InvalidRequest: 422,
    errors.UnknownFunction: 422,
    errors.UnknownPool: 422,
    errors.BadArguments: 422,
    errors.IdempotencyMismatch: 422,
    errors.QueueFull: 429,
    errors.FunctionOnHold: 429,
    errors.TooManyWrongTokens: 429,
    errors.HeadersTooLarge: 431,
    errors.Internal: 500,
    errors.Starting: 503,
    errors.FunctionUnavailable: 503,
    errors.Draining: 503,
    errors.TooManyStreams: 503,
    errors.TooManyConnections: 503,
    errors.StorageUnavailable: 503,
    errors.DiskFull: 507,
}
"""What each error is in HTTP; a test holds it against `pooldeck_server.domain.errors`."""

_HANG_UP: Final = {  # the rest of the request is not read
    errors.TooLarge,
    errors.HeadersTooLarge,
    errors.RequestTimeout,
}
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_log = logging.getLogger(__name__)


class Problem(Struct, frozen=True):
    """An error, as RFC 9457 has it. `code` is for programs and stays the same, `detail` for people.

    Further members depend on the code: `field` (a JSON pointer into the body), `argument`,
    `parameter` (of the query), `position` (a byte), `index` (of a batch's task), `id` (of an
    internal error, as in the server's log).
    """

    type: str
    title: str
    status: int
    detail: str
    code: str


def problem(error: PooldeckError) -> Response:
    status = STATUS[type(error)]
    document = Problem("about:blank", error.title, status, error.detail, error.code)
    members = msgspec.to_builtins(document)
    extra = {name: value for name, value in error.extra.items() if value is not None}
    body = msgspec.json.encode(members | extra | members)  # RFC 9457's own come first, and stay
    return Response(body, status, _headers(error), media_type=MEDIA_TYPE)


def _headers(error: PooldeckError) -> dict[str, str]:
    headers = {}
    if error.retry_after is not None:
        headers["retry-after"] = str(error.retry_after)
    if isinstance(error, errors.Unauthorized):
        headers["www-authenticate"] = "Bearer"
    if type(error) in _HANG_UP:
        headers["connection"] = "close"
    return headers


def internal(error: Exception) -> Response:
    """Log an unexpected error under an id of its own; return the answer that gives only the id."""
    return problem(logged(error))


def logged(error: Exception) -> Internal:
    """Log an unexpected error under an id of its own; return what may be said of it: the id."""
    number = secrets.token_hex(8)
    _log.error("internal error %s", number, exc_info=error, extra=about(error=number))
    return Internal(
        f"this is a defect of the server; its log has the details as {number}", id=number
    )


async def from_starlette(request: Request, error: Any) -> Response:
    """Answer what the router itself refuses by an HTTPException: paths and methods."""
    path = request.scope["path"]
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = ", ".join(_methods(request))
        response = problem(MethodNotAllowed(f"{path} takes {allowed}, not {request.method}"))
        response.headers["allow"] = allowed
        return response
    if error.status_code == HTTPStatus.NOT_FOUND:
        return problem(NotFound(f"there is nothing at {path}"))
    return problem(InvalidRequest(error.detail))


def _methods(request: Request) -> list[str]:
    """Return the methods that the rules know at the path of `request`.

    Routes of that very path come before those that take any name in the place of its last part.
    """
    path = path_of(request.scope)
    here = RULES.get(path) or rules_at(path)
    return [method for method in _METHODS if method in here]
