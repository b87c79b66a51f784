"""A name by which a socket can be opened whose path is longer than the system allows."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_LONGEST: Final = 103  # bytes: what macOS takes, where Linux takes four more


@contextmanager
def short(path: Path) -> Iterator[str]:
    """Give a name that binds or opens the socket at `path`, also where that is a long one.

    Raises:
        OSError: If there is no such folder.
    """
    if len(os.fsencode(path)) <= _LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
