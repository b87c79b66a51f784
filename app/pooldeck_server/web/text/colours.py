"""The colours of functions: up to twelve in one view, no two of them the same.

Each function has one of its own by its name; where two in view have the same, one of them gets
another that is free. What is beyond twelve is grey. static/css/colours.css names what they look
like; static/js/colours.js goes on from here as a view moves, and a test holds the two together.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

COLOURS: Final = 12

OTHER: Final = "other"
"""The colour of functions beyond those that have one of their own."""

Colour: TypeAlias = int | Literal["other"]

_OFFSET: Final = 2166136261
_PRIME: Final = 16777619
_WORD: Final = 0xFFFFFFFF
_NONE: Final[Mapping[str, int]] = MappingProxyType({})


def colour_of(function: str) -> int:
    """Return the number of a function's colour, from 0 to 11; it depends on the name alone.

    The number is the name's FNV-1a hash of 32 bits, folded as its authors advise for small ranges
    (http://www.isthe.com/chongo/tech/comp/fnv/).
    """
    value = _OFFSET
    for octet in function.encode():
        value = (value ^ octet) * _PRIME & _WORD
    return ((value >> 16) ^ (value & 0xFFFF)) % COLOURS


def colours_of(weights: Mapping[str, float], fixed: Mapping[str, int] = _NONE) -> dict[str, Colour]:
    """Return a colour for each function in view, different ones for up to twelve.

    Args:
        weights: How much each of them shows, in any unit: those that show most have a colour.
        fixed: Colours that some functions have already, beside the view, and keep.

    Returns:
        The numbers of colours by function, "other" for those beyond twelve. They depend on which
        functions have a colour, and not on how much of each there is.
    """
    ranked = sorted(weights.keys() - fixed.keys(), key=lambda name: (-weights[name], name))
    chosen = sorted(ranked[: COLOURS - len(set(fixed.values()))])
    given: dict[str, int] = {**fixed}
    for name in chosen:
        if colour_of(name) not in given.values():
            given[name] = colour_of(name)
    for name in chosen:
        if name not in given:
            given[name] = _free(colour_of(name), given.values())
    return {name: given.get(name, OTHER) for name in weights}


def _free(first: int, taken: Iterable[int]) -> int:
    """Return the first colour from `first` on that is not taken."""
    used = set(taken)
    return next(each for step in range(COLOURS) if (each := (first + step) % COLOURS) not in used)
