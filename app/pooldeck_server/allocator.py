"""How the C library's allocator treats what is large."""

import ctypes
from contextlib import suppress
from typing import Final

_MMAP_THRESHOLD: Final = -3  # glibc's number for it
_LARGE: Final = 256 * 1024  # bytes


def give_large_blocks_back() -> None:
    """Have memory of 256 KiB and more go back to the system as soon as it is free.

    glibc takes a large block that was freed for a sign that more of them will be wanted, and keeps
    the next ones: after a hundred large answers the server would stay hundreds of MiB larger. Other
    C libraries have no such knob.
    """
    with suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE)
