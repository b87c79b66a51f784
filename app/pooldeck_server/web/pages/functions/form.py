"""The form that submits a function: one field for each parameter, made from its JSON Schema.

A field has the plainest control that can say every value its schema takes; where none can, it takes
JSON. `pooldeck_server.web.pages.functions.form_values` turns what was typed into a submission.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import msgspec

from pooldeck.functions import FunctionSpec, ParameterKind, ParameterSpec
from pooldeck_server.domain.functions.examples import example, fits
from pooldeck_server.web.text.i18n import _, later

ARGUMENT = "arg."  # before a parameter's name in the names of fields
EMPTY_TEXT = "empty."  # before the name of the box that means "" instead of the default
OPTIONS = ("pool", "priority", "delay", "run_at", "timeout", "retries", "tags")

_TRUTH = ("true", "false")


class Control(StrEnum):
    """What a field looks like, and how its text becomes JSON."""

    INTEGER = "integer"
    NUMBER = "number"
    TEXT = "text"
    CHOICE = "choice"  # its text is one of the choices, as JSON
    JSON = "json"


_SCALARS = {
    "integer": Control.INTEGER,
    "number": Control.NUMBER,
    "string": Control.TEXT,
}


@dataclass(frozen=True)
class Field:
    """A parameter as a field; `default` and `choices` are JSON texts, `value` is what it shows.

    `example` is what a field that takes JSON may hold. A sensitive field shows no value, neither
    while it is typed nor when the form comes back: `is_to_retype` says that it had one.
    """

    name: str
    control: Control
    kind: ParameterKind
    required: bool
    default: str | None
    type_words: str
    description: str
    is_sensitive: bool = False
    choices: tuple[str, ...] = ()
    example: str = ""
    value: str = ""
    means_empty_text: bool = False
    is_to_retype: bool = False
    error: str | None = None

    @property
    def takes_empty_text(self) -> bool:
        """Tell whether leaving it empty and meaning an empty text are different things."""
        return self.control is Control.TEXT and not self.required and self.default != '""'


@dataclass(frozen=True)
class FunctionForm:
    """A function's form: a field per parameter, options of the submission, and what is wrong."""

    fields: tuple[Field, ...]
    options: Mapping[str, str]
    option_errors: Mapping[str, str]
    error: str | None

    @property
    def empty_texts(self) -> tuple[str, ...]:
        """The names of what has to be given and is typed as nothing: an empty text is sent."""
        return tuple(
            each.name
            for each in self.fields
            if each.control is Control.TEXT
            and each.required
            and not (each.value or each.is_to_retype)
        )

    @property
    def uses_options(self) -> bool:
        return any(self.options.values()) or bool(self.option_errors)


def form(
    spec: FunctionSpec,
    values: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    error: str | None = None,
) -> FunctionForm:
    """Return the form of a function; `values` and `errors` are by the names of fields."""
    values, errors = values or {}, errors or {}
    return FunctionForm(
        fields=tuple(_filled(field, values, errors) for field in fields(spec)),
        options={name: values.get(name, "") for name in OPTIONS},
        option_errors={name: errors[name] for name in OPTIONS if name in errors},
        error=error,
    )


def fields(spec: FunctionSpec) -> tuple[Field, ...]:
    definitions, properties = spec.schema.get("$defs", {}), spec.schema.get("properties", {})
    sensitive = _sensitive(spec)
    made = (
        _field(parameter, definitions, properties.get(parameter.name, {}).get("description", ""))
        for parameter in spec.parameters
    )
    return tuple(replace(field, is_sensitive=field.name in sensitive) for field in made)


def _sensitive(spec: FunctionSpec) -> set[str]:
    """Return the parameters whose fields may hold something sensitive.

    A name that no parameter has is one of those that the parameter for all other names takes.
    """
    named = {parameter.name for parameter in spec.parameters}
    sensitive = {*spec.options.sensitive}
    takes_all = (each.name for each in spec.parameters if each.kind is ParameterKind.VAR_KEYWORD)
    return sensitive if sensitive <= named else sensitive | {*takes_all}


def _filled(field: Field, values: Mapping[str, str], errors: Mapping[str, str]) -> Field:
    value = values.get(ARGUMENT + field.name, "")
    return replace(
        field,
        value="" if field.is_sensitive else value,
        is_to_retype=field.is_sensitive and bool(value),
        means_empty_text=EMPTY_TEXT + field.name in values,
        error=errors.get(ARGUMENT + field.name),
    )


def _field(parameter: ParameterSpec, definitions: dict[str, Any], described: str) -> Field:
    schema = _resolved(parameter.schema, definitions)
    control, choices = _control(parameter, schema, definitions)
    return Field(
        name=parameter.name,
        control=control,
        kind=parameter.kind,
        required=parameter.required,
        default=parameter.default,
        type_words=_type_words(parameter, schema),
        description=str(parameter.schema.get("description", described)),
        choices=choices,
        example=_example(parameter, definitions) if control is Control.JSON else "",
    )


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
    parameter: ParameterSpec, schema: dict[str, Any], definitions: dict[str, Any]
) -> tuple[Control, tuple[str, ...]]:
    if parameter.kind in {ParameterKind.VAR_POSITIONAL, ParameterKind.VAR_KEYWORD}:
        return Control.JSON, ()
    inner = _without_null(schema, definitions)
    nullable = inner is not schema
    if choices := _choices(inner):
        return Control.CHOICE, (*choices, "null") if nullable else choices
    if nullable and (parameter.required or parameter.default != "null"):
        return Control.JSON, ()  # an empty field could not tell null from the default
    return _SCALARS.get(str(inner.get("type")), Control.JSON), ()


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


def _one_type(schema: dict[str, Any]) -> str:
    if "enum" in schema or "const" in schema:
        return _("one of a list")
    if "$ref" in schema:
        return _named(schema)
    words = _(_TYPE_WORDS.get(str(schema.get("type")), _ANYTHING))
    items = schema.get("items")
    if isinstance(items, dict) and "$ref" in items:
        return _("%(array)s of %(type)s", array=words, type=_named(items))
    return f"{words} ({schema['format']})" if "format" in schema else words


def _named(schema: dict[str, Any]) -> str:
    return str(schema["$ref"]).rpartition("/")[2]
