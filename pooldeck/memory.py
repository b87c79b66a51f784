"""The memory that this process may use, which can be less than the machine has."""

import os
from pathlib import Path
from typing import Final

_LIMITS: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def usable_memory() -> int:
    """Return the bytes that this process may use: the machine's, or its cgroup's if fewer."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limits = [limit for path in _LIMITS if (limit := _number(path)) is not None]
    return min(total, *limits) if limits else total


def _number(path: Path) -> int | None:
    """Return the number in a file; None if there is none, as in "max"."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
