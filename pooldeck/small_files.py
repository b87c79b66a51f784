"""Reads files of the kernel, which are small and are read every second or two."""

import os
from typing import Final

_AT_ONCE: Final = 64 * 1024  # bytes; the kernel gives less of some files: a page of /proc/vmstat


def read_small(path: str) -> bytes:
    """Return all that stands in a small file, such as those in /proc.

    Python's own way asks the kernel seven more things of each file.

    Raises:
        OSError: If it cannot be read.
    """
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return b"".join(iter(lambda: os.read(file, _AT_ONCE), b""))
    finally:
        os.close(file)
