"""Registered functions as forms of several screens use them: by name, with values that fit."""

from typing import Any, Final

from pooldeck_server.domain.errors import NotFound, UnknownFunction
from pooldeck_server.domain.functions.catalogue import Catalogue, RegisteredFunction

_DEEPEST: Final = 4
_SIMPLE: Final[dict[str, Any]] = {
    "integer": 1,
    "number": 1.0,
    "string": "text",
    "boolean": True,
    "null": None,
}


def registered(catalogue: Catalogue, name: str) -> RegisteredFunction:
    """Return a function.

    Raises:
        NotFound: If there is none of that name: there is no page of it.
    """
    try:
        return catalogue.get(name)
    except UnknownFunction as error:
        raise NotFound(error.detail) from None


def example(schema: dict[str, Any], definitions: dict[str, Any], depth: int = 0) -> Any:
    """Return a value that a JSON Schema takes, as far as its types say, without what is deep."""
    if "$ref" in schema:
        schema = definitions.get(str(schema["$ref"]).rpartition("/")[2], {})
    if "anyOf" in schema:
        schema = schema["anyOf"][0]
        return example(schema, definitions, depth + 1) if depth < _DEEPEST else None
    for key in ("default", "const"):
        if key in schema:
            return schema[key]
    if "enum" in schema:
        return schema["enum"][0]
    return _of_type(schema, definitions, depth)


def _of_type(schema: dict[str, Any], definitions: dict[str, Any], depth: int) -> Any:
    inside = depth < _DEEPEST
    match schema.get("type"):
        case "array":
            items = schema.get("items")
            if inside and isinstance(items, dict) and items:
                return [example(items, definitions, depth + 1)]
            return []
        case "object":
            properties = schema.get("properties", {}) if inside else {}
            return {key: example(each, definitions, depth + 1) for key, each in properties.items()}
        case kind:
            return _SIMPLE.get(str(kind))
