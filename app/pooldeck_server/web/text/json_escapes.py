"""JSON text as people read it: characters instead of the escapes that a client wrote for them.

What is stored stays as it was sent; only what is shown is read so.
"""

import re
from typing import Final

_ESCAPE: Final = re.compile(
    r"\\\\"  # a backslash: what follows it is no escape
    r"|\\u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|\\u(?P<one>[0-9a-fA-F]{4})"
)
_MARKS: Final = frozenset('"\\')


def unescaped(text: str) -> str:
    """Return JSON text with its escapes of four digits as the characters that they stand for.

    Those stay that JSON needs escaped, that cannot be seen, or that are half of a pair.
    """
    return _ESCAPE.sub(_character, text) if "\\u" in text else text


def _character(found: re.Match[str]) -> str:
    if found["one"]:
        character = chr(int(found["one"], 16))
    elif found["high"]:
        high, low = int(found["high"], 16), int(found["low"], 16)
        character = chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    else:
        return found[0]
    return character if character.isprintable() and character not in _MARKS else found[0]
