"""What a JSON Schema found wrong with a value, in plain words."""

import json
from collections.abc import Iterable
from typing import Any

from jsonschema_rs import ValidationError, ValidationErrorKind

from pooldeck_server.domain.functions.formats import FORMATS

_TYPES = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "an array",
    "object": "an object",
    "null": "null",
}
_SHOWN = 60  # characters of a value that are repeated to its sender


def explain(error: ValidationError, *, hidden: bool = False) -> str:
    """Return what is wrong and where, as `width: "x" is not an integer`; none of a hidden value."""
    error = _innermost(error)
    value = "the value" if hidden else _shortened(error.instance)
    return f"{_place(error.instance_path)}: {_problem(error, value, hidden=hidden)}"


def _innermost(error: ValidationError) -> ValidationError:
    """Return what is wrong inside, where the value as a whole is of one of several types."""
    kind = error.kind
    if isinstance(kind, ValidationErrorKind.PropertyNames):
        return _innermost(kind.error)
    if isinstance(kind, ValidationErrorKind.AnyOf | ValidationErrorKind.OneOfNotValid):
        inside = [
            each
            for branch in kind.context
            for each in branch
            if len(each.instance_path) > len(error.instance_path)
        ]
        return _innermost(inside[0]) if inside else _of_fitting_type(error, kind.context)
    return error


def _of_fitting_type(
    error: ValidationError, branches: Iterable[Iterable[ValidationError]]
) -> ValidationError:
    """Return what is wrong with a value that is of one of several types, as with a date or null."""
    each = [found for branch in branches for found in branch]
    others = [found for found in each if not isinstance(found.kind, ValidationErrorKind.Type)]
    return _innermost(others[0]) if others and len(others) < len(each) else error


def _problem(error: ValidationError, value: str, *, hidden: bool) -> str:
    kind = error.kind
    match kind:
        case ValidationErrorKind.Required():
            return f"{kind.property} is missing"
        case ValidationErrorKind.Enum():
            return f"{value} is not one of {_shortened(kind.options)[1:-1]}"
        case ValidationErrorKind.Not() if words := _described(kind.schema):
            return f"{value} is {words}"
        case _ if words := _expected_words(kind):
            return f"{value} is not {words}"
        case _ if hidden or len(error.message) > 4 * _SHOWN:
            return f"{value} does not fit ({kind.name})"
        case _:
            return error.message


def _expected_words(kind: Any) -> str:
    """Return what would have fitted, "" where that is not known in a few words."""
    if isinstance(kind, ValidationErrorKind.Format) and kind.format in FORMATS:
        known = FORMATS[kind.format]
        return f"{known.words}, as {known.example}"
    return " or ".join(_TYPES[name] for name in _expected(kind))


def _described(schema: Any) -> str:
    """Return what a schema says that it describes, as "text with a NUL"."""
    return str(schema.get("description", "")) if isinstance(schema, dict) else ""


def _expected(kind: Any) -> list[str]:
    """Return the JSON types that would have fitted, if the types are what is wrong."""
    match kind:
        case ValidationErrorKind.Type():
            return sorted(kind.types, key="null".__eq__)
        case ValidationErrorKind.AnyOf() | ValidationErrorKind.OneOfNotValid():
            branches = [_expected(error.kind) for branch in kind.context for error in branch]
            return [name for branch in branches for name in branch] if all(branches) else []
        case _:
            return []


def _place(path: list[str | int]) -> str:
    first, *rest = path or ["arguments"]
    return str(first) + "".join(f"[{json.dumps(step)}]" for step in rest)


def _shortened(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
