"""JSON text as people read it: lines broken, each piece with its type, and no more than fits.

The text is scanned up to a bound and never parsed: numbers and the order of keys stay as they were
sent, escapes are read, and ten megabytes cost hardly more than what is shown of them.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from pooldeck_server.web.text import formats
from pooldeck_server.web.text.json_escapes import unescaped

Piece: TypeAlias = tuple[str, str]
"""What a piece is ("key", "string", "number", "literal", or "" for what stands between), and it."""

_MOST_CHARACTERS: Final = 24 * 1024  # that a page shows of one value
_MOST_SCANNED: Final = 192 * 1024  # characters, of which long strings are shown in part
_LONGEST_STRING: Final = 2000
_OPENING, _CLOSING = "[{", "]}"
_TEXTS: Final = frozenset({"key", "string"})
_ONE_LINE: Final = 72  # characters of a list or an object that stays on one line

_TOKEN: Final = re.compile(
    r"""\s*+(?:
    (?P<string>"[^"\\]*+(?:\\.[^"\\]*+)*+")(?P<colon>\s*:)?
  | (?P<number>-?\d[\d.eE+-]*+)
  | (?P<literal>true|false|null)
  | (?P<empty>\[\s*\]|\{\s*\})
  | (?P<open>[\[{])
  | (?P<close>[\]}])
  | (?P<comma>,)
    )""",
    re.VERBOSE,
)
_FLAT: Final = re.compile(r'[\[{](?:[^\[\]{}"]|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+[\]}]')
"""A list or an object that holds no other."""


@dataclass(frozen=True)
class ValueLine:
    """A line of a value.

    `opens` is how many lines there are in the list or object that begins at its end, 0 if none
    does; `closes` tells whether one ends at its beginning.
    """

    pieces: tuple[Piece, ...]
    opens: int = 0
    closes: bool = False


@dataclass(frozen=True)
class JsonText:
    """A value to be shown: its pieces, how many lines they make, and how large it is."""

    pieces: tuple[Piece, ...]
    lines: int
    size: str
    is_cut: bool

    @property
    def tree(self) -> tuple[ValueLine, ...]:
        """Return the lines, with where what can be folded begins and ends.

        Where the value is cut, some may have no end.
        """
        found: list[ValueLine] = []
        begun: list[int] = []  # the places of the lines that something begins in, outermost first
        for pieces in _split(self.pieces):
            closes = bool(begun) and _is_open(pieces[0], _CLOSING)
            if closes:
                start = begun.pop()
                found[start] = replace(found[start], opens=len(found) - start - 1)
            found.append(ValueLine(pieces, closes=closes))
            if _is_open(pieces[-1], _OPENING):
                begun.append(len(found) - 1)
        for start in begun:
            found[start] = replace(found[start], opens=len(found) - start - 1)
        return tuple(found)


def _split(pieces: Iterable[Piece]) -> Iterator[tuple[Piece, ...]]:
    """Yield the pieces of each line that holds any."""
    line: list[Piece] = []
    for kind, piece in pieces:
        first, *others = piece.split("\n")
        line.append((kind, first))
        for other in others:
            yield tuple(line)
            line = [(kind, other)]
    yield tuple(line)


def _is_open(piece: Piece, brackets: str) -> bool:
    kind, text = piece
    bare = text.strip()
    return not kind and len(bare) == 1 and bare in brackets


def json_text(text: str) -> JsonText:
    pieces: list[Piece] = []
    room = _MOST_CHARACTERS
    is_cut = len(text) > _MOST_SCANNED
    for kind, piece in _pieces(text):
        readable = unescaped(piece) if kind in _TEXTS else piece
        shown = _shortened(readable) if kind == "string" else readable
        is_cut = is_cut or shown != readable
        if (room := room - len(shown)) < 0:
            return _made(text, [*pieces, ("", "…")], is_cut=True)
        pieces.append((kind, shown))
    return _made(text, pieces, is_cut=is_cut)


def _made(text: str, pieces: list[Piece], *, is_cut: bool) -> JsonText:
    lines = 1 + sum(piece.count("\n") for _, piece in pieces)
    return JsonText(tuple(pieces), lines, formats.size(len(text.encode())), is_cut)


def _shortened(string: str) -> str:
    return string if len(string) <= _LONGEST_STRING else f'{string[:_LONGEST_STRING]}…"'


def _pieces(text: str) -> Iterator[Piece]:
    """Yield the pieces of JSON text, with line breaks and indents between them."""
    depth, flat_until = 0, 0
    for token in _tokens(text):
        if isinstance(token, str):
            yield "string", token
            continue
        kind = token.lastgroup
        is_flat = token.end() <= flat_until
        if kind == "open":
            flat_until = _flat_end(text, token.start("open"))
            depth += 1
            yield "", token["open"] + ("" if flat_until else _line(depth))
        elif kind == "close":
            depth -= 1
            yield "", ("" if is_flat else _line(depth)) + token["close"]
        elif kind == "comma":
            yield "", ", " if is_flat else "," + _line(depth)
        elif kind is not None:
            yield from _value(kind, token)


def _tokens(text: str) -> Iterator[re.Match[str] | str]:
    """Yield the tokens of what is scanned; of a string that goes on beyond it, the beginning."""
    at, scanned = 0, text[:_MOST_SCANNED]
    while token := _TOKEN.match(scanned, at):
        yield token
        at = token.end()
    if len(scanned) < len(text):
        yield f"{scanned[at : at + _LONGEST_STRING].lstrip()}…"


def _value(kind: str, token: re.Match[str]) -> Iterator[Piece]:
    if kind == "colon":
        yield "key", token["string"]
        yield "", ": "
    elif kind == "empty":
        yield "", "[]" if "[" in token["empty"] else "{}"
    else:
        yield kind, token[kind]


def _flat_end(text: str, start: int) -> int:
    """Return where a list or an object ends that fits on a line; 0 if it does not."""
    found = _FLAT.match(text, start, start + _ONE_LINE)
    return found.end() if found else 0


def _line(depth: int) -> str:
    return "\n" + "  " * depth
