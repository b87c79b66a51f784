"""What a group of errors is called: its message, masked only where messages of it differ.

The group itself is known by the message with all that may vary masked; most of that does not.
"""

import re
from collections.abc import Sequence
from typing import Final

from pooldeck_server.domain.failures.error_groups import MESSAGE_CHARACTERS
from pooldeck_server.domain.terminal_text import plain

_MASK: Final = re.compile(r"'…'|/…|#")
_SPACE: Final = re.compile(r"\s+")


def group_title(masked: str, messages: Sequence[str]) -> str:
    """Return a masked message with what all `messages` of its group have in its places.

    Where a message does not fit it, which only odd ones do not, it is returned as it is.
    """
    literals, masks = _MASK.split(masked), _MASK.findall(masked)
    is_cut = len(masked) >= MESSAGE_CHARACTERS
    found = [_values(_bare(message), literals, is_cut=is_cut) for message in messages]
    values = [each for each in found if each is not None]
    if not masks or not values or len(values) < len(found):
        return masked
    places = zip(masks, zip(*values, strict=True), literals[1:], strict=True)
    filled = (f"{_common(mask, same)}{literal}" for mask, same, literal in places)
    return literals[0] + "".join(filled)


def _common(mask: str, values: Sequence[str]) -> str:
    return values[0] if len(set(values)) == 1 else mask


def _bare(message: str) -> str:
    return _SPACE.sub(" ", plain(message)).strip()


def _values(message: str, literals: Sequence[str], *, is_cut: bool) -> list[str] | None:
    """Return what stands between the literals, each at its next place; None if they do not fit.

    It is looked for without going back, so that no message takes long.
    """
    if not message.startswith(literals[0]):
        return None
    found: list[str] = []
    at = len(literals[0])
    for place, literal in enumerate(literals[1:], start=1):
        is_last = place == len(literals) - 1
        begin = _end(message, literal, is_cut=is_cut) if is_last else message.find(literal, at + 1)
        if begin <= at:
            return None
        found.append(message[at:begin])
        at = begin + len(literal)
    return found


def _end(message: str, literal: str, *, is_cut: bool) -> int:
    """Return where the last literal begins: at the end, unless the rest was cut off."""
    if is_cut:
        return message.rfind(literal) if literal else len(message)
    return len(message) - len(literal) if message.endswith(literal) else -1
