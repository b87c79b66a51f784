"""The most memory that this process has used, in bytes.

The kernel has two figures. The one of `getrusage` and `wait4` is there on any system and after the
end of a process, but on Linux it is never less than what the process that started this one had used
by then. See `VmHWM` in proc(5) for the other.
"""

import re
import resource
import sys
from pathlib import Path
from typing import Final

_STATUS: Final = Path("/proc/self/status")
_PEAK: Final = re.compile(rb"^VmHWM:\s*(\d+) kB", re.MULTILINE)
_KIB: Final = 1024
_UNIT: Final = 1 if sys.platform == "darwin" else _KIB


class PeakMemory:
    """The most memory that this process has used, and how it rises."""

    def __init__(self) -> None:
        self.bytes = own_peak() or 0

    def rise(self) -> int:
        """Return by how many bytes it has risen since this was last asked."""
        before = self.bytes
        self.bytes = max(before, own_peak() or 0)
        return self.bytes - before


def own_peak() -> int | None:
    """Return what this process itself has used.

    None if it cannot be asked for just now, as where a task has used up all file descriptors.
    """
    if not sys.platform.startswith("linux"):
        return kernel_peak()
    try:
        found = _PEAK.search(_STATUS.read_bytes())
    except OSError:
        return None
    return None if found is None else int(found[1]) * _KIB


def kernel_peak() -> int:
    """Return the figure of `getrusage`."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT
