"""The lines of a file as calls of a function, each with a key that is the same in the next run."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, Final

from msgspec import Struct

from pooldeck_server.command_line.complaint import Complaint

_LONGEST: Final = 16 * 1024 * 1024  # bytes of a line

ReadLine = Callable[[str], dict[str, Any]]


class Item(Struct, frozen=True):
    """A line and the call that it means.

    Attributes:
        number: Of the line, from 1.
        call: What a submission has of it: args and kwargs; None where it means none.
        key: By which the server knows the call again.
        problem: Why it means no call.
        read: How many bytes of the file had been read with it.
    """

    number: int
    call: dict[str, Any] | None
    key: str
    problem: str
    read: int


def items(lines: Iterable[bytes], name: str, read_line: ReadLine) -> Iterator[Item]:
    """Yield an item for each line that is not empty.

    Args:
        lines: Of a file, with their ends.
        name: Of the run, which is part of all keys.
        read_line: Makes a call of a line, or raises ValueError.
    """
    read = 0
    for number, line in enumerate(lines, 1):
        read += len(line)
        if not line.strip():
            continue
        key = hashlib.sha256(f"{name}\0{number}\0".encode() + line.rstrip(b"\r\n")).hexdigest()
        try:
            text = line.decode().rstrip("\r\n")
            yield Item(number, read_line(text), key, "", read)
        except ValueError as error:
            yield Item(number, None, key, str(error), read)


def call_of_text(line: str) -> dict[str, Any]:
    """Return the call of a line as `pooldeck submit` reads a value: JSON, or one text as it is."""
    try:
        return call_of_json(line)
    except ValueError:
        return {"args": [line]}


def call_of_json(line: str) -> dict[str, Any]:
    """Return the call of a line that has to be JSON. Raises ValueError if it is none."""
    return _spread(_json(line))


def _json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _spread(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        return {"args": value}
    return {"kwargs": value} if isinstance(value, dict) else {"args": [value]}


def bounded(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file as they come, and close it at its end.

    Raises:
        Complaint: If a line is without end.
    """
    with file:
        while line := file.readline(_LONGEST):
            if len(line) == _LONGEST:
                raise Complaint(f"a line is longer than {_LONGEST:,} bytes: is this a text?")
            yield line
