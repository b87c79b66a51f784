"""Reads files of the kernel, which are small and are read every second or two."""

import os
from typing import Final

_MOST: Final = 64 * 1024  # bytes; of those that are read here, the largest has a few KiB


def read_small(path: str) -> bytes:
    """Return what stands in a small file, such as those in /proc.

    Python's own way asks the kernel eight more things of each file.

    Raises:
        OSError: If it cannot be read.
    """
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(file, _MOST)
    finally:
        os.close(file)
