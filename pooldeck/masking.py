"""Masks the values of sensitive arguments wherever they appear in text.

What is looked for are the strings and numbers in an argument, at any depth, of six characters or
more: as they are, and as `repr`, JSON and addresses escape them. What a function makes of them
(a hash, a part, another case, base64) is not known and not masked.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final
from urllib.parse import quote, quote_plus

import msgspec

from pooldeck.functions import FunctionSpec, ParameterKind, ParameterSpec
from pooldeck.outcome import Error

LEAST: Final = 6
"""Characters of what is masked: shorter values stand in too many words."""

MASK: Final = "[redacted]"
_MOST: Final = 10_000  # values of one call
_BY_POSITION: Final = {ParameterKind.POSITIONAL_ONLY, ParameterKind.POSITIONAL_OR_KEYWORD}
_decode = msgspec.json.Decoder().decode


class Mask:
    """Replaces values in text."""

    def __init__(self, values: Iterable[str]) -> None:
        """Prepare it for the forms that these values may appear in."""
        forms = {form for value in values for form in _forms(value)}
        self.forms = tuple(sorted(forms, key=len, reverse=True))  # else a part would go first

    def __call__(self, text: str) -> str:
        """Return `text` without the values."""
        for form in self.forms:
            if form in text:
                text = text.replace(form, MASK)
        return text

    def unfinished(self, text: str) -> str:
        """Do so with text that goes on, and leave out an end that may become a value."""
        text = self(text)
        longest = max((_overlap(text, form) for form in self.forms), default=0)
        return text[: len(text) - longest] if longest else text

    def error(self, error: Error) -> Error:
        """Return an error without the values, with all its causes."""
        return msgspec.structs.replace(
            error,
            type=self(error.type),
            message=self(error.message),
            traceback=None if error.traceback is None else self(error.traceback),
            returned=None if error.returned is None else self(error.returned),
            cause=None if error.cause is None else self.error(error.cause),
        )


def united(masks: Iterable[Mask]) -> Mask | None:
    """Return what masks all that these do; None where there is nothing to mask."""
    found = tuple(masks)
    if len(found) <= 1:
        return found[0] if found else None
    together = Mask(())
    forms = {form for mask in found for form in mask.forms}
    together.forms = tuple(sorted(forms, key=len, reverse=True))
    return together


class Sensitive:
    """The sensitive parameters of one function."""

    def __init__(self, spec: FunctionSpec) -> None:
        self._names = frozenset(spec.options.sensitive)
        self._order = [each.name for each in spec.parameters if each.kind in _BY_POSITION]
        self._rest = _of_kind(spec.parameters, ParameterKind.VAR_POSITIONAL)
        self._extra = _of_kind(spec.parameters, ParameterKind.VAR_KEYWORD)
        self._known = {each.name for each in spec.parameters} - {self._rest, self._extra}

    def mask(self, args: bytes, kwargs: bytes) -> Mask | None:
        """Return what masks the values in the arguments of a call, as JSON; None if it has none."""
        try:
            given, named = _decode(args), _decode(kwargs)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        values: dict[str, None] = {}
        for position, value in enumerate(given):
            if self._owner(position) in self._names:
                values |= dict.fromkeys(_leaves(value))
        for name, value in named.items():
            if (name if name in self._known else self._extra) in self._names:
                values |= dict.fromkeys(_leaves(value))
        long = [value for value in values if len(value) >= LEAST]
        return Mask(long[:_MOST]) if long else None

    def _owner(self, position: int) -> str | None:
        return self._order[position] if position < len(self._order) else self._rest


def sensitive_of(specs: Iterable[FunctionSpec]) -> dict[str, Sensitive]:
    """Return the functions that have sensitive parameters, by name."""
    return {spec.name: Sensitive(spec) for spec in specs if spec.options.sensitive}


def _of_kind(parameters: Collection[ParameterSpec], kind: ParameterKind) -> str | None:
    return next((each.name for each in parameters if each.kind is kind), None)


def _leaves(value: Any) -> Iterator[str]:
    """Yield the strings and numbers in a value, as text."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
        if isinstance(value, int):
            yield f"{value:,}"


def _forms(value: str) -> Iterator[str]:
    """Yield the forms in which a value is written: escaped, and line by line."""
    lines = value.splitlines() if "\n" in value or "\r" in value else ()
    for each in (value, *(line.strip() for line in lines)):
        if len(each) >= LEAST:
            yield each
            yield repr(each)[1:-1]
            yield repr(each.encode("utf-8", "surrogatepass"))[2:-1]
            yield json.dumps(each)[1:-1]
            yield json.dumps(each, ensure_ascii=False)[1:-1]
            if not each.isalnum():
                yield from _in_addresses(each)


def _in_addresses(value: str) -> Iterator[str]:
    try:
        yield quote(value)
        yield quote(value, safe="")
        yield quote_plus(value)
    except UnicodeEncodeError:  # half of a character
        return


def _overlap(text: str, form: str) -> int:
    """Return how many characters at the end of `text` are the beginning of `form`."""
    most = min(len(text), len(form) - 1)
    return next((size for size in range(most, 0, -1) if text.endswith(form[:size])), 0)
