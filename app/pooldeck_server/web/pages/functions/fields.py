"""The fields of a function's form: one for each parameter, made from its JSON Schema.

A field has the plainest control that can say every value its schema takes; where none can, it takes
JSON. An object whose parts are known becomes a group of fields, two deep at most.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

import msgspec

from pooldeck.functions import FunctionSpec, ParameterKind, ParameterSpec
from pooldeck_server.domain.functions.examples import example, fits
from pooldeck_server.web.text.i18n import _, later

ARGUMENT: Final = "arg."  # before a parameter's name in the names of fields
EMPTY_TEXT: Final = "empty."  # before the name of the box that means "" and not nothing
ZONE: Final = "zone."  # before the name of the choice that says where a moment is meant

_TRUTH: Final = ("true", "false")
_DEEPEST: Final = 2  # groups within one another
_MOST_PARTS: Final = 30  # of a group
_PART: Final = re.compile(r"[A-Za-z_][\w-]*")


class Control(StrEnum):
    """What a field looks like, and how its text becomes JSON."""

    INTEGER = "integer"
    NUMBER = "number"
    TEXT = "text"
    MOMENT = "moment"  # a date and a time
    DATE = "date"
    TIME = "time"
    CHOICE = "choice"  # its text is one of the choices, as JSON
    GROUP = "group"  # it has fields itself
    JSON = "json"


_SCALARS: Final = {
    "integer": Control.INTEGER,
    "number": Control.NUMBER,
    "string": Control.TEXT,
}
_FORMATS: Final = {"date-time": Control.MOMENT, "date": Control.DATE, "time": Control.TIME}
_DATE: Final = r"\d{4}-\d\d-\d\d"
_CLOCK: Final = r"\d\d:\d\d(:\d\d(\.\d{1,3})?)?"
_INPUTS: Final = {  # which of a browser's own inputs there is, and which texts it can show
    Control.MOMENT: ("datetime-local", re.compile(f"{_DATE}T{_CLOCK}")),
    Control.DATE: ("date", re.compile(_DATE)),
    Control.TIME: ("time", re.compile(_CLOCK)),
}


@dataclass(frozen=True)
class Field:
    """A parameter as a field, or a part of one; `default` and `choices` are JSON texts.

    `name` is unique in the form, `label` is what the parameter or part is called, `value` what the
    field shows. `example` is what a field that takes JSON may hold. A sensitive field shows no
    value, neither while it is typed nor when the form comes back: `is_to_retype` says that it had
    one. `parts` are the fields of a group.
    """

    name: str
    label: str
    control: Control
    kind: ParameterKind
    required: bool
    default: str | None
    type_words: str
    description: str
    is_sensitive: bool = False
    choices: tuple[str, ...] = ()
    parts: tuple["Field", ...] = ()
    example: str = ""
    value: str = ""
    is_in_utc: bool = True
    means_empty_text: bool = False
    is_to_retype: bool = False
    error: str | None = None

    @property
    def takes_empty_text(self) -> bool:
        """Tell whether leaving it empty and meaning an empty text are different things."""
        return self.control is Control.TEXT and (self.required or self.default != '""')

    @property
    def input_type(self) -> str:
        """The type of its input element: a browser's own for times, if it can show the value."""
        if self.control not in _INPUTS:
            return "password" if self.is_sensitive else "text"
        type_, form = _INPUTS[self.control]
        return type_ if not self.value or form.fullmatch(self.value) else "text"

    def all(self) -> Iterator["Field"]:
        """Yield the field and all within it, in their order."""
        yield self
        for part in self.parts:
            yield from part.all()


def fields(spec: FunctionSpec) -> tuple[Field, ...]:
    """Return the fields of a function's form, in the order of its signature."""
    definitions, properties = spec.schema.get("$defs", {}), spec.schema.get("properties", {})
    sensitive = _sensitive(spec)
    made = (
        _field(parameter, definitions, properties.get(parameter.name, {}).get("description", ""))
        for parameter in spec.parameters
    )
    return tuple(_hidden(field) if field.name in sensitive else field for field in made)


def _hidden(field: Field) -> Field:
    return replace(field, is_sensitive=True, parts=tuple(map(_hidden, field.parts)))


def _sensitive(spec: FunctionSpec) -> set[str]:
    """Return the parameters whose fields may hold something sensitive.

    A name that no parameter has is one of those that the parameter for all other names takes.
    """
    named = {parameter.name for parameter in spec.parameters}
    sensitive = {*spec.options.sensitive}
    takes_all = (each.name for each in spec.parameters if each.kind is ParameterKind.VAR_KEYWORD)
    return sensitive if sensitive <= named else sensitive | {*takes_all}


def _field(
    parameter: ParameterSpec, definitions: dict[str, Any], described: str = "", depth: int = 0
) -> Field:
    schema = _resolved(parameter.schema, definitions)
    control, choices = _control(parameter, schema, definitions, depth)
    inner = _without_null(schema, definitions)
    return Field(
        name=parameter.name,
        label=parameter.name.rpartition(".")[2],
        control=control,
        kind=parameter.kind,
        required=parameter.required,
        default=parameter.default,
        type_words=_type_words(parameter, schema),
        description=str(parameter.schema.get("description", described)),
        choices=choices,
        parts=_parts(parameter.name, inner, definitions, depth) if control is Control.GROUP else (),
        example=_example(parameter, definitions) if control is Control.JSON else "",
    )


def _parts(
    name: str, schema: dict[str, Any], definitions: dict[str, Any], depth: int
) -> tuple[Field, ...]:
    needed = schema.get("required", ())
    parts = (
        ParameterSpec(
            name=f"{name}.{key}",
            kind=ParameterKind.KEYWORD_ONLY,
            required=key in needed,
            default=msgspec.json.encode(part["default"]).decode() if "default" in part else None,
            schema=part,
        )
        for key, part in schema["properties"].items()
    )
    return tuple(_field(part, definitions, depth=depth + 1) for part in parts)


def _example(parameter: ParameterSpec, definitions: dict[str, Any]) -> str:
    """Return an example as JSON, "" where none is known to fit."""
    found = example(parameter.schema, definitions)
    if not fits(found, parameter.schema, definitions):
        return ""
    match parameter.kind:
        case ParameterKind.VAR_POSITIONAL:
            found = [found]
        case ParameterKind.VAR_KEYWORD:
            found = {"name": found}
    return msgspec.json.encode(found).decode()


def _control(
    parameter: ParameterSpec, schema: dict[str, Any], definitions: dict[str, Any], depth: int
) -> tuple[Control, tuple[str, ...]]:
    if parameter.kind in {ParameterKind.VAR_POSITIONAL, ParameterKind.VAR_KEYWORD}:
        return Control.JSON, ()
    inner = _without_null(schema, definitions)
    nullable = inner is not schema
    if choices := _choices(inner):
        return Control.CHOICE, (*choices, "null") if nullable else choices
    if nullable and (parameter.required or parameter.default != "null"):
        return Control.JSON, ()  # an empty field could not tell null from the default
    if _has_known_parts(inner) and depth < _DEEPEST:
        return Control.GROUP, ()
    plain = _SCALARS.get(str(inner.get("type")), Control.JSON)
    if plain is Control.TEXT:
        return _FORMATS.get(str(inner.get("format")), plain), ()
    return plain, ()


def _has_known_parts(schema: dict[str, Any]) -> bool:
    """Tell whether fields for the parts of an object can say all that it may be."""
    parts = schema.get("properties")
    return (
        schema.get("type") == "object"
        and isinstance(parts, dict)
        and 0 < len(parts) <= _MOST_PARTS
        and not schema.get("additionalProperties", False)
        and all(_PART.fullmatch(name) and isinstance(part, dict) for name, part in parts.items())
    )


def _choices(schema: dict[str, Any]) -> tuple[str, ...]:
    if schema.get("type") == "boolean":
        return _TRUTH
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    return tuple(msgspec.json.encode(value).decode() for value in values)


def _without_null(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return what a nullable schema takes beside null; another schema as it is."""
    options = schema.get("anyOf", [])
    others = [option for option in options if option != {"type": "null"}]
    if len(others) == 1 and len(options) > 1:
        return _resolved(others[0], definitions)
    return schema


def _resolved(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    resolved = definitions.get(str(reference).rpartition("/")[2], {})
    return resolved if isinstance(resolved, dict) else {}


def _type_words(parameter: ParameterSpec, schema: dict[str, Any]) -> str:
    if parameter.kind is ParameterKind.VAR_POSITIONAL:
        return _("further arguments: a JSON array")
    if parameter.kind is ParameterKind.VAR_KEYWORD:
        return _("further named arguments: a JSON object")
    options = schema.get("anyOf", [schema])
    return _(" or ").join(dict.fromkeys(_one_type(option) for option in options))


_ANYTHING = later("any JSON value")
_TYPE_WORDS = {
    "integer": later("whole number"),
    "number": later("number"),
    "string": later("text"),
    "boolean": later("true or false"),
    "array": later("JSON array"),
    "object": later("JSON object"),
    "null": "null",
}
_FORMAT_WORDS = {
    "date-time": later("date and time"),
    "date": later("date"),
    "time": later("time of day"),
}


def _one_type(schema: dict[str, Any]) -> str:
    if "enum" in schema or "const" in schema:
        return _("one of a list")
    if "$ref" in schema:
        return _named(schema)
    format_ = str(schema.get("format", ""))
    if schema.get("type") == "string" and format_ in _FORMAT_WORDS:
        return _(_FORMAT_WORDS[format_])
    words = _(_TYPE_WORDS.get(str(schema.get("type")), _ANYTHING))
    items = schema.get("items")
    if isinstance(items, dict) and "$ref" in items:
        return _("%(array)s of %(type)s", array=words, type=_named(items))
    return f"{words} ({format_})" if format_ else words


def _named(schema: dict[str, Any]) -> str:
    return str(schema["$ref"]).rpartition("/")[2]
