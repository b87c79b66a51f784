"""Large JSON, checked piece by piece, so that no single step holds everybody up.

A parser written in C keeps the interpreter's lock until it is through; for 16 MiB that are made for
it, that is ten seconds. What is large by nature is a collection of tasks: an object with a member
that holds many, each bounded. So its members and what they hold are parsed one by one, here in a
thread, and others get their turn in between.
"""

import json
import re
from typing import Final, NoReturn

from pooldeck_server.domain.errors import MalformedJson, TooLarge
from pooldeck_server.web.http.strict_json import check, end_of_value

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_FIRST_TRY: Final = 16 * 1024  # characters; most tasks are smaller
_FACTOR: Final = 8  # by which the next try is longer
_CLOSING: Final = {"{": "}", "[": "]"}


def check_in_pieces(body: bytes, depth: int, longest: int, most: int) -> None:
    """Refuse what is no strict JSON, as `strict_json.check` does.

    Args:
        body: The text: an object, whose members may be objects or arrays of many.
        depth: How deep it may be nested in all.
        longest: Characters of a piece: a member, or what is in a member.
        most: Pieces.

    Raises:
        MalformedJson: If the text is not JSON, ambiguous, or nested too deeply.
        TooLarge: If there are too many pieces, or one of them is too long.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise MalformedJson(
            f"byte {error.start} is not valid UTF-8", position=error.start
        ) from None
    _Walk(text, depth, longest, most).whole()


class _Walk:
    """A way through a text, from piece to piece."""

    def __init__(self, text: str, depth: int, longest: int, most: int) -> None:
        self._text = text
        self._depth = depth
        self._longest = longest
        self._left = most
        self._at = 0

    def whole(self) -> None:
        self._skip_space()
        if self._next() == "{":
            self._collection(level=1)
        else:
            self._piece(level=0)
        self._skip_space()
        if self._at < len(self._text):
            self._complain("trailing characters")

    def _collection(self, level: int) -> None:
        """Pass an object or an array, whose content is `level` levels deep."""
        opening = self._take()
        names: set[str] = set()
        self._skip_space()
        if self._next() == _CLOSING[opening]:
            self._take()
            return
        while True:
            if opening == "{":
                self._name(names, level)
            if level == 1 and self._next() in _CLOSING:
                self._collection(level + 1)
            else:
                self._piece(level)
            self._skip_space()
            if self._next() == _CLOSING[opening]:
                self._take()
                return
            self._expect(",")

    def _name(self, names: set[str], level: int) -> None:
        if self._next() != '"':
            self._complain("expected a name in double quotes")
        name: str = json.loads(self._piece(level))
        if name in names:
            raise MalformedJson(f'the name "{name[:100]}" stands twice in one object')
        names.add(name)
        self._skip_space()
        self._expect(":")

    def _piece(self, level: int) -> str:
        """Pass one value, and check it; return its text."""
        if self._left == 0:
            raise TooLarge("there are more parts than the call may have; send several")
        self._left -= 1
        piece = self._text[self._at : self._at + self._length()]
        try:
            check(piece.encode(), self._depth - level)
        except MalformedJson as error:
            self._move(error)
            raise
        self._at += len(piece)
        return piece

    def _length(self) -> int:
        """Return how long the value is that begins here, or what there is if it does not end."""
        size = min(_FIRST_TRY, self._longest)
        while True:
            tried = self._text[self._at : self._at + size + 1]  # with what ends a number
            length = end_of_value(tried)
            if length is not None and length <= size:
                return length
            is_all = self._at + size >= len(self._text)
            if is_all:
                return len(tried)
            if size == self._longest:
                raise TooLarge(f"a part of the body is malformed, or longer than {size} characters")
            size = min(size * _FACTOR, self._longest)

    def _move(self, error: MalformedJson) -> None:
        """Let an error within a piece say where that is in the whole text."""
        position = error.extra.get("position")
        if position is not None:
            moved = position + self._position()
            error.detail = error.detail.replace(f"byte {position}", f"byte {moved}")
            error.extra["position"] = moved

    def _position(self) -> int:
        return len(self._text[: self._at].encode())

    def _complain(self, problem: str) -> NoReturn:
        if self._at >= len(self._text):
            raise MalformedJson("the text ends too early", position=self._position())
        position = self._position()
        raise MalformedJson(f"{problem}, at byte {position}", position=position)

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        self._at += 1
        return self._text[self._at - 1]

    def _expect(self, character: str) -> None:
        """Pass a character and the space after it."""
        if self._next() != character:
            self._complain(f'expected "{character}"')
        self._take()
        self._skip_space()

    def _skip_space(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at
