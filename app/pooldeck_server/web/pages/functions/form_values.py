"""The values of a function's form: as the body of a submission, and a call as typed text.

The body then goes through the same door as one sent to the API, so a form can do nothing that a
program cannot, and whole numbers keep every digit that was typed.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Raw

from pooldeck.functions import FunctionSpec, ParameterKind
from pooldeck.needs import are_well_formed
from pooldeck_server.web.pages.functions.field_values import READERS, apart, read_field
from pooldeck_server.web.pages.functions.fields import (
    ARGUMENT,
    EMPTY_TEXT,
    ZONE,
    Control,
    Field,
    fields,
)
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _
from pooldeck_server.web.text.json_escapes import unescaped
from pooldeck_server.web.text.zones import UTC_NAME, UnclearTimeError, typed_moment

_POSITIONAL = {ParameterKind.POSITIONAL_ONLY, ParameterKind.POSITIONAL_OR_KEYWORD}


class FormErrors(Exception):  # noqa: N818 - it carries several errors to one page
    """Fields that cannot be read: what is wrong, by field name."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(f"{len(errors)} fields cannot be read")
        self.errors = errors


def body(spec: FunctionSpec, values: Mapping[str, str]) -> bytes:
    """Return the JSON body of the submission that the form says.

    Raises:
        FormErrors: If a field does not hold what it should.
    """
    errors: dict[str, str] = {}
    given = _read_arguments(spec, values, errors)
    options = _read_options(values, errors)
    if errors:
        raise FormErrors(errors)
    args, kwargs = _call(spec, given)
    return msgspec.json.encode({"function": spec.name, "args": args, "kwargs": kwargs, **options})


def typed(spec: FunctionSpec, args: str, kwargs: str) -> dict[str, str]:
    """Return what one would type to make the call `args`, `kwargs` (JSON texts) again.

    Sensitive arguments stay empty: what the store shows of them is not their value.
    """
    positional = msgspec.json.decode(unescaped(args), type=list[Raw])
    named = msgspec.json.decode(unescaped(kwargs), type=dict[str, Raw])
    values: dict[str, str] = {}
    for field in fields(spec):
        value = _taken(field, positional, named)
        if value is not None and not field.is_sensitive:
            values |= _as_typed(field, value)
    return values


def _read_arguments(
    spec: FunctionSpec, values: Mapping[str, str], errors: dict[str, str]
) -> dict[str, Raw]:
    given = {}
    for field in fields(spec):
        text = read_field(field, values, errors)
        if text is not None:
            given[field.name] = Raw(text.encode())
    return given


_NUMBERS = {
    "priority": Control.INTEGER,
    "delay": Control.NUMBER,
    "timeout": Control.NUMBER,
    "retries": Control.INTEGER,
}


def _read_options(values: Mapping[str, str], errors: dict[str, str]) -> dict[str, object]:
    options: dict[str, object] = {}
    if pool := values.get("pool", ""):
        options["pool"] = pool
    if tags := [tag.strip() for tag in values.get("tags", "").split(",") if tag.strip()]:
        options["tags"] = tags
    if run_at := values.get("run_at", "").strip():
        try:
            options["run_at"] = typed_moment(run_at, values.get("zone") or UTC_NAME)
        except UnclearTimeError as unclear:
            errors["run_at"] = formats.sentence(str(unclear))
    try:
        if text := values.get("needs", "").strip():
            options["needs"] = typed_needs(text)
    except ValueError as error:
        errors["needs"] = str(error)
    for name, control in _NUMBERS.items():
        try:
            if text := values.get(name, "").strip():
                options[name] = Raw(READERS[control](text).encode())
        except ValueError as error:
            errors[name] = str(error)
    return options


def typed_needs(text: str) -> dict[str, float]:
    """Return what was typed as needs: `gpu=1, memory_gb=8`.

    Raises:
        ValueError: If it is none of that.
    """
    found: dict[str, float] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, _equals, amount = map(str.strip, part.partition("="))
        try:
            found[name] = float(amount)
        except ValueError:
            found = {"": 0.0}
            break
    if not are_well_formed(found):
        raise ValueError(_("Enter names with amounts above 0, as gpu=1, memory_gb=8."))
    return found


def _call(spec: FunctionSpec, given: dict[str, Raw]) -> tuple[list[Raw], dict[str, Raw]]:
    """Divide the given values: named where a parameter can be named, in order where it must be."""
    named = dict(given)
    further: list[Raw] = []
    extra: dict[str, Raw] = {}
    for parameter in spec.parameters:
        if parameter.kind is ParameterKind.VAR_POSITIONAL and parameter.name in named:
            further = msgspec.json.decode(named.pop(parameter.name), type=list[Raw])
        elif parameter.kind is ParameterKind.VAR_KEYWORD and parameter.name in named:
            extra = msgspec.json.decode(named.pop(parameter.name), type=dict[str, Raw])
    args = _in_order(spec, named, everything=bool(further))
    return args + further, named | extra


def _in_order(spec: FunctionSpec, named: dict[str, Raw], *, everything: bool) -> list[Raw]:
    """Take from `named` what goes by position, up to the last that was given, or everything."""
    kinds = _POSITIONAL if everything else {ParameterKind.POSITIONAL_ONLY}
    ordered = [field for field in fields(spec) if field.kind in kinds]
    while ordered and not everything and ordered[-1].name not in named:
        ordered.pop()
    return [_positional(field, named) for field in ordered]


def _positional(field: Field, named: dict[str, Raw]) -> Raw:
    if field.name in named:
        return named.pop(field.name)
    if field.default is None:
        problem = _("This is needed, because an argument after it is given.")
        raise FormErrors({ARGUMENT + field.name: problem})
    return Raw(field.default.encode())


def _taken(field: Field, positional: list[Raw], named: dict[str, Raw]) -> Raw | None:
    """Take a field's value out of a call; the fields are asked in the order of the signature."""
    if field.kind is ParameterKind.VAR_POSITIONAL:
        rest, positional[:] = list(positional), []
        return Raw(msgspec.json.encode(rest)) if rest else None
    if field.kind is ParameterKind.VAR_KEYWORD:
        return Raw(msgspec.json.encode(named)) if named else None
    if field.kind in _POSITIONAL and positional:
        return positional.pop(0)
    return named.pop(field.name, None)


def _as_typed(field: Field, value: Raw) -> dict[str, str]:
    text = bytes(value).decode()
    name = ARGUMENT + field.name
    if field.control is Control.GROUP:
        return _parts_as_typed(field, text)
    if not text.startswith('"') or field.control in {Control.CHOICE, Control.JSON}:
        return {name: text}
    text = msgspec.json.decode(text, type=str)
    if field.control is Control.MOMENT:
        shown, zone = apart(text)
        return {name: shown, ZONE + field.name: zone}
    if text == "" and field.takes_empty_text:
        return {name: "", EMPTY_TEXT + field.name: "on"}
    return {name: text}


def _parts_as_typed(field: Field, text: str) -> dict[str, str]:
    if text == "null":
        return {}
    given = msgspec.json.decode(text, type=dict[str, Raw])
    values: dict[str, str] = {}
    for part in field.parts:
        if part.label in given:
            values |= _as_typed(part, given[part.label])
    return values
