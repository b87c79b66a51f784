"""The colour of a function: one of twelve, the same on every chart and timeline.

static/css/colours.css names what they look like. static/js/colours.js chooses them in the browser;
a test holds the two against each other.
"""

from typing import Final

COLOURS: Final = 12

_OFFSET: Final = 2166136261
_PRIME: Final = 16777619
_WORD: Final = 0xFFFFFFFF


def colour_of(function: str) -> int:
    """Return the number of a function's colour, from 0 to 11; it depends on the name alone.

    The number is the name's FNV-1a hash of 32 bits, folded as its authors advise for small ranges
    (http://www.isthe.com/chongo/tech/comp/fnv/).
    """
    value = _OFFSET
    for octet in function.encode():
        value = (value ^ octet) * _PRIME & _WORD
    return ((value >> 16) ^ (value & 0xFFFF)) % COLOURS
