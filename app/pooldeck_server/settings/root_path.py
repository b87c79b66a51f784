"""The path below which a server stands, ASGI's `root_path`: from a setting or a header."""

import re
from typing import Final

_SEGMENT: Final = r"/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+"  # needs no escapes, in a page or a header
_PATH: Final = re.compile(f"(?:{_SEGMENT})*")
_LONGEST: Final = 200  # characters


def read_root_path(text: str) -> str:
    """Return a path prefix without a slash at its end; "" stands for the root.

    Raises:
        ValueError: If a browser could take it for anything but a path below the same host.
    """
    path = text.removesuffix("/")
    if len(path) > _LONGEST or not _PATH.fullmatch(path):
        raise ValueError(
            "must be a path such as /deck, of letters, digits and . _ ~ - between slashes"
        )
    return path
