"""The form with the rules: as it is shown, and read."""

from collections.abc import Iterator
from typing import Final

import msgspec
from starlette.datastructures import QueryParams

from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.retention import FunctionRetention, RetentionRules

DAYS: Final = ("succeeded", "failed", "cancelled", "lost", "others")
_NEVER: Final = "never"
_UNSAID: Final = "-"
_PARTS: Final = 3  # of a line: pattern, days, most


def values_of(rules: RetentionRules) -> dict[str, str]:
    """Return the texts of the fields that are read as `rules`."""
    texts = {name: _text(getattr(rules, name)) for name in (*DAYS, "most")}
    lines = (f"{each.pattern} {_part(each.days)} {_part(each.most)}" for each in rules.functions)
    return texts | {"functions": "\n".join(lines)}


def read_rules(form: QueryParams) -> RetentionRules:
    """Return the rules that a form holds.

    Raises:
        InvalidRequest: If a field is none; its name is the first word.
    """
    values: dict[str, object] = {name: _number(form.get(name, ""), name) for name in DAYS}
    values["most"] = _whole(form.get("most", ""), "most")
    values["functions"] = list(_functions(form.get("functions", "")))
    try:
        return msgspec.convert(values, RetentionRules)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"the rules do not fit: {error}") from None


def _functions(text: str) -> Iterator[FunctionRetention]:
    for line in filter(str.strip, text.splitlines()):
        parts = line.split()
        if len(parts) > _PARTS:
            raise InvalidRequest(f'functions: expected "pattern days most" in the line "{line}"')
        pattern, days, most = (*parts, _UNSAID, _UNSAID)[:_PARTS]
        yield FunctionRetention(
            pattern,
            None if days == _UNSAID else _number(days, "functions"),
            None if most == _UNSAID else _whole(most, "functions"),
        )


def _text(value: float) -> str:
    return f"{value:g}" if value < 1e6 else f"{value:.0f}"  # noqa: PLR2004 - else with an exponent


def _part(value: float | None) -> str:
    return _UNSAID if value is None else _text(value)


def _number(text: str, name: str) -> float:
    if text.strip().lower() in {"", _NEVER}:
        return 0.0
    try:
        return float(text)
    except ValueError:
        raise InvalidRequest(f'{name}: expected days or never, not "{text[:100]}"') from None


def _whole(text: str, name: str) -> int:
    number = _number(text.replace(",", "").replace("\u202f", ""), name)
    if not number.is_integer():
        raise InvalidRequest(f'{name}: expected a whole number of tasks, not "{text[:100]}"')
    return int(number)
