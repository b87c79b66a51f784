"""What shows of a worker's process from outside that says whether it can still work.

Where there is no /proc, psutil tells of a stopped one; that it runs another program shows only by
its closed pipe there.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from pooldeck.small_files import read_small

HAS_PROC: Final = Path("/proc/self/stat").exists()
STOPPED: Final = "T"
"""By a signal; "t" is held by a debugger."""

NO_MAIN_THREAD: Final = "Z"
"""It has ended, though the process is there."""

_UNKNOWN: Final = " "
_WAITS_ITS_TURN: Final = frozenset("RD")  # for a CPU, or for its memory or disk

Program = tuple[int, int]
"""The file that a process runs: its device and its number there."""


def shown_state(pid: int) -> str:
    """Return the `state` of a process; where there is no /proc, no more than whether it stands."""
    if HAS_PROC:
        return state(pid)
    from pooldeck import marks_elsewhere  # noqa: PLC0415 - loads psutil

    return STOPPED if marks_elsewhere.is_stopped(pid) else _UNKNOWN


def waits_its_turn(pid: int) -> bool:
    """Tell whether the main thread would run at this moment if the machine let it."""
    return state(pid) in _WAITS_ITS_TURN


def state(pid: int) -> str:
    """Return the kernel's letter for what the main thread does, a space if that is not known."""
    with suppress(OSError):
        _, _, rest = read_small(f"/proc/{pid}/stat").rpartition(b") ")
        return rest[:1].decode() or _UNKNOWN
    return _UNKNOWN


def program(pid: int) -> Program | None:
    """Return the file that a process runs, None if that does not show."""
    with suppress(OSError):
        status = os.stat(f"/proc/{pid}/exe")  # noqa: PTH116 - of the file, also of a deleted one
        return status.st_dev, status.st_ino
    return None


def program_name(pid: int) -> str:
    """Return the path of what a process runs, for people."""
    with suppress(OSError):
        return os.readlink(f"/proc/{pid}/exe")  # noqa: PTH115 - a deleted one has no other path
    return "it is not known which"
