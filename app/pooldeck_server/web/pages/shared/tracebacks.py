"""An error with its causes, and a traceback in parts, so that the user's own frames stand out."""

import re
from dataclasses import dataclass
from itertools import groupby
from typing import Final, TypeAlias

import msgspec

from pooldeck.outcome import Error

Part: TypeAlias = tuple[str, str]
"""Whose a part is ("own", "library", or "" for the lines around the frames), and its text."""

_FRAME: Final = re.compile(r'^\s*(?:[|+-]\s*)*File "(?P<path>[^"]*)", line \d+')
_LIBRARY: Final = re.compile(
    r"^<frozen |[/\\]lib(?:64)?[/\\]python\d"
    r"|[/\\](?:site-packages|dist-packages|pooldeck[/\\]worker)[/\\]"
)


def traceback_parts(text: str) -> tuple[Part, ...]:
    """Return the parts of a traceback in their order; together they are the whole text."""
    owner = ""
    owned: list[Part] = []
    for line in text.splitlines(keepends=True):
        if (frame := _FRAME.match(line)) is not None:
            owner = "library" if _LIBRARY.search(frame["path"]) else "own"
        elif not line.startswith("    "):
            owner = ""
        owned.append((owner, line))
    return tuple(
        (whose, "".join(line for _, line in lines))
        for whose, lines in groupby(owned, key=lambda part: part[0])
    )


@dataclass(frozen=True)
class TracebackPart:
    """Lines of a traceback: whose they are, and how many frames of libraries can be folded away."""

    owner: str
    text: str
    folded: int = 0


def folded_parts(text: str) -> tuple[TracebackPart, ...]:
    """Return the parts of a traceback, with the frames of libraries to be folded.

    Where all frames are those of libraries none is: nothing would be left to see.
    """
    parts = traceback_parts(text)
    has_own = any(owner == "own" for owner, _ in parts)
    return tuple(
        TracebackPart(owner, lines, _frames(lines) if has_own and owner == "library" else 0)
        for owner, lines in parts
    )


def _frames(text: str) -> int:
    return sum(_FRAME.match(line) is not None for line in text.splitlines())


def causes(text: str | None) -> tuple[Error, ...]:
    chain: list[Error] = []
    error = msgspec.json.decode(text, type=Error) if text else None
    while error is not None:
        chain.append(error)
        error = error.cause
    return tuple(chain)
