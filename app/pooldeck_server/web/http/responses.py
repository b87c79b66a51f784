"""Values into answers, and what the OpenAPI document says about them."""

from typing import Any, Final

import msgspec
from msgspec import Struct
from starlette.responses import Response

from pooldeck_server.web.http.errors import MEDIA_TYPE as PROBLEM
from pooldeck_server.web.http.errors import STATUS

JSON: Final = "application/json"
READING: Final = (401, 403, 421, 422, 429, 431, 500, 503)
WRITING: Final = (400, 401, 403, 408, 413, 415, 421, 422, 429, 431, 500, 503, 507)
CHANGING: Final = (
    401,
    403,
    421,
    422,
    429,
    431,
    500,
    503,
    507,
)  # by its address alone, without a body

Responses = dict[int | str, dict[str, Any]]
_encode = msgspec.json.Encoder().encode


class Answer(Response):
    """JSON that is ready to be sent; its headers skip Starlette's handling of text."""

    def __init__(self, body: bytes, status: int = 200, *headers: tuple[bytes, bytes]) -> None:
        self.body = body
        self.status_code = status
        self.background = None
        length = (b"content-length", str(len(body)).encode())
        self.raw_headers = [(b"content-type", JSON.encode()), length, *headers]


def answer(value: Struct, status: int = 200, *headers: tuple[bytes, bytes]) -> Answer:
    return Answer(_encode(value), status, *headers)


def reference(model: type[Struct]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def good(model: type[Struct], words: str, status: int = 200) -> Responses:
    return {status: {"description": words, "content": {JSON: {"schema": reference(model)}}}}


def bad(*statuses: int) -> Responses:
    """Describe errors by their statuses; their codes and titles are those of the error classes."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": _codes(status), "content": {PROBLEM: {"schema": schema}}}
        for status in sorted(statuses)
    }


def takes(model: type[Struct], example: Any, *, required: bool = True) -> dict[str, Any]:
    content = {JSON: {"schema": reference(model), "example": example}}
    return {"requestBody": {"required": required, "content": content}}


def _codes(status: int) -> str:
    found = [error for error, its in STATUS.items() if its == status]
    return "; ".join(f"`{error.code}`: {error.title}" for error in found)
