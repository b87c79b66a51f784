"""How the end of a process is waited for where there is no pidfd for it."""

import os
import time
from typing import Final

import psutil

_PAUSE: Final = 0.02  # seconds between two looks


def wait_for_end(pid: int) -> None:
    """Wait until a process has ended, and leave its status to whoever reaps it. It blocks.

    Only a child can be waited for; a launcher may have had the worker started by another process.
    """
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    except (AttributeError, ChildProcessError):  # macOS has no waitid; or it is no child of ours
        while _runs(pid):
            time.sleep(_PAUSE)


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except (psutil.Error, OSError):  # no file descriptor is left to look with
        return True
