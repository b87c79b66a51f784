"""Messages of errors without what differs from one occurrence to the next."""

import re
from functools import lru_cache
from typing import Final

_LOOKED_AT: Final = 1000  # characters of a message; the rest tells nothing of its kind
_KEPT: Final = 300

_UNNAMED: Final = r"(?<!\w)(?<!attribute )(?<!argument )(?<!module )(?<!name )"
"""Python's own messages name types and attributes in quotes: these say what is wrong, and stay."""

_MASKS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), mask)
    for pattern, mask in (
        (r"\s\s+|[^\S ]|[\x00-\x1f\x7f]", " "),
        (rf"{_UNNAMED}(['\"`])[^'\"`]{{4,}}\1(?!\w| object\b)", "'…'"),
        (r"(://[^\s/'\"`]+)[^\s'\"`]*", r"\1/…"),
        (r"(?<![\w/:<])(?:[a-z]:\\|~?/)[^\s'\"`,;:()]+", "/…"),
        (r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", "#"),
        (r"\b0x[0-9a-f]+\b|(?<![\w.-])(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}\b", "#"),
        (r"(?:(?<![\w-])[-+])?\d+(?:[.,:_t-]\d+)*(?:e[-+]?\d+)?", "#"),
        (r"(#|'…')(?:[,;]? \1)+", r"\1"),  # however many there are
    )
)


@lru_cache(maxsize=512)
def masked(message: str) -> str:
    """Return a message with its varying parts masked, at most 300 characters of it.

    Numbers, hexadecimal, UUIDs and times become "#", quoted strings of four characters or more
    "'…'", paths and what follows the host of an address "/…". Lists of such parts become one.
    """
    text = message[:_LOOKED_AT]
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text.strip()[:_KEPT]
