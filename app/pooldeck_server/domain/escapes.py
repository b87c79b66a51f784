"""The escapes of JSON, undone in place: text as people read it."""

import re
from typing import Final

_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_LETTERS: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def undo_escapes(text: str) -> str:
    """Return JSON text with what each escape stands for in its place; NUL becomes a blank."""
    if "\\" not in text:
        return text.replace("\0", " ")
    plain = _ESCAPE.sub(_undone, text)
    whole = plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # pairs become one
    return whole.replace("\0", " ")


def _undone(escape: "re.Match[str]") -> str:
    code, letter = escape.groups()
    return chr(int(code, 16)) if code else _LETTERS.get(letter, letter)
