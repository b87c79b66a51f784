"""Queries of addresses: read into structs as bodies are, and described by them."""

from datetime import datetime
from functools import cache
from typing import Annotated, Any, Final, TypeAlias, TypeVar

import msgspec
from fastapi import Request
from msgspec import Meta, Struct

from pooldeck_server.domain.clock import micros
from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.web.http.dependencies import MAX_LIMIT
from pooldeck_server.web.http.strict_json import complaint

Q = TypeVar("Q", bound=Struct)

_NO_TIME: Final = "expected a date and time (RFC 3339), got a number"

PageSize: TypeAlias = Annotated[int, Meta(ge=1, le=MAX_LIMIT, description="Items of one page.")]
Cursor: TypeAlias = Annotated[
    str, Meta(max_length=200, description="`next_cursor` of the page before.")
]


def read_query(model: type[Q], request: Request) -> Q:
    """Return what the query of a request asks for.

    Fields of `model` that are tuples take several values.

    Raises:
        InvalidRequest: If a parameter is unknown or wrong; `parameter` names it.
    """
    query = request.query_params
    schemas = {each["name"]: each["schema"] for each in asks(model)["parameters"]}
    lists = {name for name, schema in schemas.items() if "items" in schema}
    given = {name: query.getlist(name) if name in lists else query[name] for name in query}
    for name, schema in schemas.items():
        if schema.get("format") == "date-time" and _is_number(query.get(name, "")):
            raise InvalidRequest(f"{name}: {_NO_TIME}", parameter=name)
    try:
        return msgspec.convert(given, model, strict=False)
    except msgspec.ValidationError as error:
        raise complaint(error, model, of_query=True) from None


@cache
def asks(model: type[Struct]) -> dict[str, Any]:
    _, components = msgspec.json.schema_components(
        [model], ref_template="#/components/schemas/{name}"
    )
    fields = components[model.__name__]["properties"]
    return {"parameters": [_parameter(name, schema) for name, schema in fields.items()]}


def _is_number(text: str) -> bool:
    """Tell whether it is one, which msgspec would take for seconds since the epoch."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    if "anyOf" in schema:  # the other choice is null: it is not given
        schema = schema["anyOf"][0]
    words = {key: schema.pop(key) for key in ("description",) if key in schema}
    return {"name": name, "in": "query", "required": False, "schema": schema} | words


def moment(given: datetime | None) -> int | None:
    """Return a time that was given in microseconds since the epoch, None for None."""
    return None if given is None else micros(given)
