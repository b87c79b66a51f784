"""Settings as a configuration file: what `tomllib` reads, the standard library does not write."""

import json
from collections.abc import Iterator, Mapping
from os import PathLike
from typing import Any


def written(settings: Mapping[str, Any]) -> str:
    """Return settings as TOML; a value of None is left out.

    Raises:
        TypeError: If one of them can be no setting, with its name.
    """
    return "\n".join(_lines(settings, ())) + "\n"


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """Yield the lines of a table: its own values first, then the tables in it."""
    if path:
        yield f"[{'.'.join(map(_text, path))}]"
    for name, value in table.items():
        if value is not None and not isinstance(value, Mapping):
            yield f"{_text(name)} = {_value(value, '.'.join((*path, name)))}"
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _lines(value, (*path, name))


def _value(value: Any, name: str) -> str:
    match value:
        case bool() | int() | float():
            return json.dumps(value)
        case str() | PathLike():
            return _text(str(value))
        case list() | tuple() | set() | frozenset():
            return f"[{', '.join(_value(each, name) for each in value)}]"
        case Mapping():
            pairs = (f"{_text(key)} = {_value(each, name)}" for key, each in value.items())
            return f"{{{', '.join(pairs)}}}"
    raise TypeError(f"{name}={value!r}: no setting can be of the type {type(value).__name__}")


def _text(text: str) -> str:
    """Return a basic string: JSON's, but for one character that TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
