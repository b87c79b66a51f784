"""JSON Schemas in words: the fields of an object, their types, and the bounds of each."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Struct

from pooldeck_server.web.pages.reference.prose import Paragraph, paragraphs
from pooldeck_server.web.text.i18n import _, later

Schema: TypeAlias = Mapping[str, Any]
TypePart: TypeAlias = tuple[str, bool]
"""A piece of a type's words, and whether it is the name of another schema."""

_TYPES: Final = {
    "integer": later("whole number"),
    "number": later("number"),
    "string": later("text"),
    "boolean": later("true or false"),
    "array": later("JSON array"),
    "object": later("JSON object"),
}
_BOUNDS: Final = {
    "minimum": later("at least %(bound)s"),
    "exclusiveMinimum": later("more than %(bound)s"),
    "maximum": later("at most %(bound)s"),
    "minLength": later("%(bound)s characters or more"),
    "maxLength": later("at most %(bound)s characters"),
    "minItems": later("%(bound)s items or more"),
    "maxItems": later("at most %(bound)s items"),
}


class FieldRow(Struct, frozen=True):
    """A field of an object, or a parameter; `where` is "path", "query" or "header" for these."""

    name: str
    type: tuple[TypePart, ...]
    bounds: str
    is_required: bool
    default: str | None  # as JSON
    prose: tuple[Paragraph, ...]
    where: str = ""


class SchemaShown(Struct, frozen=True):
    """A schema with a name: the fields of an object, or what a value may be."""

    name: str
    prose: tuple[Paragraph, ...]
    fields: tuple[FieldRow, ...]
    type: tuple[TypePart, ...]


def shown(name: str, schema: Schema) -> SchemaShown:
    return SchemaShown(
        name=name,
        prose=paragraphs(schema.get("description", "")),
        fields=fields(schema),
        type=() if "properties" in schema else type_parts(schema),
    )


def fields(schema: Schema) -> tuple[FieldRow, ...]:
    required = schema.get("required", ())
    found = schema.get("properties", {}).items()
    return tuple(field(name, each, is_required=name in required) for name, each in found)


def field(name: str, schema: Schema, *, is_required: bool, where: str = "") -> FieldRow:
    """Return a field; what its schema says of a value that may be null counts for the value."""
    inner = next((each for each in _choices(schema) if each.get("type") != "null"), schema)
    default = schema.get("default", inner.get("default"))
    return FieldRow(
        name=name,
        type=type_parts(schema),
        bounds=bounds(inner),
        is_required=is_required,
        default=None if default in (None, [], {}) else _json(default),
        prose=paragraphs(schema.get("description", inner.get("description", ""))),
        where=where,
    )


def type_parts(schema: Schema) -> tuple[TypePart, ...]:
    """Return what values a schema takes, in words and names of schemas."""
    if "$ref" in schema:
        return ((_name(schema), True),)
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return ((_(" or ").join(map(_json, values)), False),)
    if options := _choices(schema):
        return tuple(_joined([type_parts(each) for each in options]))
    if schema.get("type") == "array" and schema.get("items"):
        return ((_("array of") + " ", False), *type_parts(schema["items"]))
    return ((_plain(schema), False),)


def bounds(schema: Schema) -> str:
    given = {key: f"{schema[key]:,g}" for key in _BOUNDS if key in schema}
    return _(", ").join(_(_BOUNDS[key], bound=bound) for key, bound in given.items())


def used(names: Iterable[str], schemas: Mapping[str, Schema]) -> list[str]:
    """Return the names of all schemas that those of some names need, these first."""
    found: dict[str, None] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop(0)
        if name not in found and name in schemas:
            found[name] = None
            waiting += references(schemas[name])
    return list(found)


def references(value: Any) -> Iterator[str]:
    """Yield the names of the schemas that a part of the document refers to."""
    if isinstance(value, Mapping):
        if isinstance(value.get("$ref"), str):
            yield _name(value)
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def _choices(schema: Schema) -> Sequence[Schema]:
    options: Sequence[Schema] = schema.get("anyOf", schema.get("oneOf", ()))
    return options


def _joined(options: Sequence[Sequence[TypePart]]) -> Iterator[TypePart]:
    for place, option in enumerate(options):
        if place:
            yield (_(" or "), False)
        yield from option


def _plain(schema: Schema) -> str:
    kind = schema.get("type")
    if kind is None:
        return _("any JSON value")
    words = "null" if kind == "null" else _(_TYPES.get(str(kind), str(kind)))
    return f"{words} ({schema['format']})" if "format" in schema else words


def _name(schema: Schema) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
