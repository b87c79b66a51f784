"""Arguments of a task as a command line has them: JSON where they are JSON, and else text."""

import json
import re
import sys
from collections.abc import Sequence
from typing import Any, Final

import typer
from msgspec import Struct

from pooldeck_server.command_line.output import is_closed

_NAMED: Final = re.compile(r"([^\W\d]\w*)=(.*)", re.DOTALL)
_STDIN: Final = "-"


class Arguments(Struct, frozen=True):
    """What a function is called with."""

    args: list[Any]
    kwargs: dict[str, Any]


def read_arguments(
    words: Sequence[str], texts: Sequence[str], args: str | None, kwargs: str | None
) -> Arguments:
    """Return the arguments that a command line means.

    Args:
        words: Values by position, and `name=value`: JSON if they are, else text.
        texts: The same, but always text.
        args: A JSON array that comes before those by position.
        kwargs: A JSON object.

    Raises:
        typer.BadParameter: If a name is given twice, or if the last two are not what they should.
    """
    _check_stdin([*words, *(each for each in (args, kwargs) if each)])
    positions: list[Any] = read_array(args)
    names: dict[str, Any] = read_object(kwargs)
    for values, read in ((words, value_of), (texts, str)):
        for word in values:
            found = _NAMED.fullmatch(word)
            if found is None:
                positions.append(read(word))
            elif found[1] in names:
                raise typer.BadParameter(f"{found[1]} is given twice")
            else:
                names[found[1]] = read(found[2])
    return Arguments(positions, names)


def value_of(text: str) -> Any:
    """Return what a text means: a value if it is JSON, what stdin has if it is "-", or itself."""
    if text == _STDIN:
        text = _standard_input()
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text


def _standard_input() -> str:
    try:
        return "" if is_closed(sys.stdin) else sys.stdin.read()
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"standard input is no text: {error}") from None


def _check_stdin(words: Sequence[str]) -> None:
    if sum(word == _STDIN or word.endswith(f"={_STDIN}") for word in words) > 1:
        raise typer.BadParameter("standard input can be read once: there is more than one -")


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def read_array(text: str | None) -> list[Any]:
    """Return the arguments by position; raise `typer.BadParameter` for what is no array."""
    value = [] if text is None else value_of(text)
    if not isinstance(value, list):
        raise typer.BadParameter(f"--args {text}: not a JSON array")
    return value


def read_object(text: str | None) -> dict[str, Any]:
    """Return the arguments by name; raise `typer.BadParameter` for what is no object."""
    value = {} if text is None else value_of(text)
    if not isinstance(value, dict):
        raise typer.BadParameter(f"--kwargs {text}: not a JSON object")
    return value
