"""The peak memory of this process."""

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
        self.bytes = _peak()

    def rise(self) -> int:
        """Return by how many bytes it has risen since this was last asked."""
        before, self.bytes = self.bytes, _peak()
        return max(0, self.bytes - before)


def _peak() -> int:
    """Return the most memory that it has used, in bytes.

    `getrusage` tells that on any system, but on Linux never less than what the process that started
    this one had used by then; see `VmHWM` in proc(5).
    """
    try:
        found = _PEAK.search(_STATUS.read_bytes())
    except OSError:
        found = None
    if found is None:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT
    return int(found[1]) * _KIB
