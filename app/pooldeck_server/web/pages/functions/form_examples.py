"""A value that a JSON Schema takes, to show what a field that takes JSON may hold."""

from typing import Any, Final

_DEEPEST: Final = 4
_SIMPLE: Final[dict[str, Any]] = {
    "integer": 1,
    "number": 1.0,
    "string": "text",
    "boolean": True,
    "null": None,
}


def example(schema: dict[str, Any], definitions: dict[str, Any], depth: int = 0) -> Any:
    """Return a value that the schema takes, as far as its types say.

    Args:
        schema: The JSON Schema of the value.
        definitions: What its references name.
        depth: How deep in the whole value it is; what is very deep is left out.
    """
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
    match schema.get("type"):
        case "array":
            items = schema.get("items")
            is_shown = isinstance(items, dict) and depth < _DEEPEST
            return [example(items, definitions, depth + 1)] if is_shown and items else []
        case "object":
            return _object(schema, definitions, depth)
        case kind:
            return _SIMPLE.get(str(kind))


def _object(schema: dict[str, Any], definitions: dict[str, Any], depth: int) -> dict[str, Any]:
    if depth >= _DEEPEST:
        return {}
    properties = schema.get("properties", {})
    return {name: example(each, definitions, depth + 1) for name, each in properties.items()}
