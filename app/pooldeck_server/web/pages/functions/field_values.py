"""What was typed into a field, as JSON text; whole numbers keep every digit that was typed."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from pooldeck.functions import ParameterKind
from pooldeck_server.web.pages.functions.fields import ARGUMENT, EMPTY_TEXT, ZONE, Control, Field
from pooldeck_server.web.text.i18n import _, later

_COLLECTIONS: Final[dict[ParameterKind, tuple[type, str]]] = {
    ParameterKind.VAR_POSITIONAL: (list, later("This must be a JSON array.")),
    ParameterKind.VAR_KEYWORD: (dict, later("This must be a JSON object.")),
}


def read_field(field: Field, values: Mapping[str, str], errors: dict[str, str]) -> str | None:
    """Return a field's value as JSON text, None where it is left out or cannot be read.

    What is wrong is added to `errors`, by the names of fields.
    """
    if field.control is Control.GROUP:
        return _read_group(field, values, errors)
    try:
        return _json_text(field, values)
    except ValueError as error:
        errors[ARGUMENT + field.name] = str(error)
        return None


def _read_group(field: Field, values: Mapping[str, str], errors: dict[str, str]) -> str | None:
    """Return an object of what is given of its parts; one that is not needed may be left out."""
    if not (field.required or any(_is_given(each, values) for each in field.all())):
        return None
    found = {part.label: read_field(part, values, errors) for part in field.parts}
    given = (f"{_quoted(name)}:{text}" for name, text in found.items() if text is not None)
    return f"{{{','.join(given)}}}"


def _is_given(field: Field, values: Mapping[str, str]) -> bool:
    return bool(values.get(ARGUMENT + field.name, "").strip()) or EMPTY_TEXT + field.name in values


def _json_text(field: Field, values: Mapping[str, str]) -> str | None:
    """Return a field's value as JSON text, None where it is left out."""
    value = values.get(ARGUMENT + field.name, "").replace("\r\n", "\n")  # as forms send them
    if EMPTY_TEXT + field.name in values or (_is_needed_text(field) and value):
        return _quoted(value)
    if not value.strip():
        if field.required:
            raise ValueError(_missing(field))
        return None
    if field.control is Control.MOMENT:
        value = moment(value.strip(), zone=values.get(ZONE + field.name, ""))
    text = _read(field, value)
    if field.kind in _COLLECTIONS:
        _check_collection(text, *_COLLECTIONS[field.kind])
    return text


def _is_needed_text(field: Field) -> bool:
    return field.control is Control.TEXT and field.required


def _missing(field: Field) -> str:
    if _is_needed_text(field):
        return _("This is needed. If an empty text is meant, tick the box.")
    return _("This is needed.")


def _read(field: Field, value: str) -> str:
    try:
        return READERS[field.control](value)
    except ValueError:
        if field.is_sensitive:
            raise ValueError(_("What was typed does not fit. It is not repeated here.")) from None
        raise


def _check_collection(text: str, type_: type, words: str) -> None:
    try:
        msgspec.json.decode(text, type=type_)
    except msgspec.ValidationError:
        raise ValueError(_(words)) from None


def _quoted(value: str) -> str:
    return msgspec.json.encode(value).decode()


def _integer(value: str) -> str:
    try:
        return str(int(value))
    except ValueError:
        raise ValueError(_("%(value)s is not a whole number.", value=value.strip())) from None


def _number(value: str) -> str:
    try:
        return _integer(value)
    except ValueError:
        return _decimal(value)


def _decimal(value: str) -> str:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(_("%(value)s is not a number.", value=value.strip()))
    return repr(number)


def _json(value: str) -> str:
    try:
        msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(_why_no_json(value, str(error))) from None
    return value.strip()


def _why_no_json(value: str, problem: str) -> str:
    """Return what to change in a text that is no JSON, given what the decoder says of it."""
    if found := _POSITION.search(problem):
        before = value.encode()[: int(found[1])].decode(errors="ignore")
        return _(
            "This is not JSON, from character %(number)s on. Text stands in quotes: %(example)s.",
            number=len(before) + 1,
            example='["text"]',
        )
    return _("This is not JSON: it ends too early, or is nested too deeply.")


READERS: Final = {
    Control.INTEGER: _integer,
    Control.NUMBER: _number,
    Control.TEXT: _quoted,
    Control.MOMENT: _quoted,
    Control.DATE: _quoted,
    Control.TIME: _quoted,
    Control.CHOICE: _json,
    Control.JSON: _json,
}


_POSITION: Final = re.compile(r"\(byte (\d+)\)")
_MINUTE: Final = re.compile(r"[\d-]+T\d\d:\d\d")
_OFFSET: Final = re.compile(r"(?:[zZ]|[+-]\d\d:?\d\d)$")


def moment(value: str, zone: str) -> str:
    """Return a moment as browsers send it, or as it was typed; without an offset it is in `zone`.

    Browsers leave the seconds out where they are 0.
    """
    if _MINUTE.fullmatch(value):
        value += ":00"
    return value if _OFFSET.search(value) else f"{value}{zone}"


def apart(value: str) -> tuple[str, str]:
    """Return a moment as an input for local times shows it, and its zone: "Z", or "" for none."""
    if not _OFFSET.search(value):
        return value, ""
    try:
        shown = datetime.fromisoformat(value).astimezone(UTC)
    except ValueError:
        return value, "Z"
    return shown.replace(tzinfo=None).isoformat(), "Z"
