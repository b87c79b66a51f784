"""What shows of a worker's process from outside that says whether it can still work.

Where there is no /proc, psutil tells of a stopped one; that it runs another program shows only by
its closed pipe there.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

HAS_PROC: Final = Path("/proc/self/stat").exists()
_STOPPED: Final = "T"  # by a signal; "t" is held by a debugger
_NO_MAIN_THREAD: Final = "Z"  # that has ended, though the process is there
_WAITS_ITS_TURN: Final = "RD"  # for a CPU, or for its memory or disk

Program = tuple[int, int]
"""The file that a process runs: its device and its number there."""


def is_stopped(pid: int) -> bool:
    """Tell whether a signal has stopped a process, and nobody has let it go on."""
    if HAS_PROC:
        return state(pid) == _STOPPED
    from pooldeck import marks_elsewhere  # noqa: PLC0415 - loads psutil

    return marks_elsewhere.is_stopped(pid)


def has_no_main_thread(pid: int) -> bool:
    return state(pid) == _NO_MAIN_THREAD


def waits_its_turn(pid: int) -> bool:
    """Tell whether the main thread would run at this moment if the machine let it."""
    return state(pid) in _WAITS_ITS_TURN


def state(pid: int) -> str:
    """Return the kernel's letter for what the main thread does, a space if that is not known."""
    with suppress(OSError):
        _, _, rest = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(") ")
        return rest[:1] or " "
    return " "


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
