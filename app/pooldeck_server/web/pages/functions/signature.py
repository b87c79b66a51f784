"""A function's signature in its parts, so that a page can give names, types and defaults a look."""

import re
from collections.abc import Iterator
from typing import Final, TypeAlias

Part: TypeAlias = tuple[str, str]
"""What a part is ("name", "type", "default", or "" for what stands between), and its text."""

_TOKEN: Final = re.compile(
    r"""(?P<space>\s+)|(?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<arrow>->)"""
    r"|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<word>[^\s()\[\]{},:=]+)|(?P<sign>.)",
    re.DOTALL,
)
_TOP: Final = 1  # within the parentheses of the signature, and no others


def signature_parts(signature: str) -> tuple[Part, ...]:
    """Return the parts of a signature, `(path: str, width: int = 256) -> dict`, in their order."""
    return tuple(_parts(signature))


def _parts(signature: str) -> Iterator[Part]:
    depth, kind = 0, "name"
    for token in _TOKEN.finditer(signature):
        depth += (token.lastgroup in {"open", "arrow"}) - (token.lastgroup == "close")
        if token.lastgroup == "arrow" or (depth <= _TOP and token[0] in {",", ":", "="}):
            kind = {",": "name", ":": "type", "=": "default"}.get(token[0], "type")
            yield "", token[0]
        elif token.lastgroup == "space" or (depth <= _TOP and token[0] in {"(", ")", "*", "/"}):
            yield "", token[0]
        else:
            yield kind, token[0]
