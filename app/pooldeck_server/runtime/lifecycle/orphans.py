"""Processes that others have left and that the kernel hands to this one: reaped when they end.

Process 1 of a container is handed every orphan in it, as is a process that asked to be a
subreaper. Each that nobody reaps keeps a process id until the container ends.
"""

import asyncio
import ctypes
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import ClassVar, Final

import psutil

from pooldeck_server.runtime.background import BackgroundPart

_LOOK_SECONDS: Final = 0.4
_GET_CHILD_SUBREAPER: Final = 37  # of prctl(2)


class Orphans(BackgroundPart):
    """Reaps what has ended and is none of the server's own.

    Whoever starts a process here takes its exit status as soon as it has ended. What has ended
    before one look and is still there at the next was therefore started by somebody else.
    """

    doing: ClassVar[str] = "reaping orphans"

    async def _run(self) -> None:
        ended: set[int] = set()
        while are_handed_over():
            await asyncio.sleep(_LOOK_SECONDS)
            before, ended = ended, await asyncio.to_thread(_ended_children)
            _reap(before & ended)


def are_handed_over() -> bool:
    """Tell whether the orphans of other processes become children of this one."""
    return os.getpid() == 1 or _is_subreaper()


def _is_subreaper() -> bool:
    if sys.platform != "linux":
        return False
    answer = ctypes.c_int()
    failed = ctypes.CDLL(None).prctl(_GET_CHILD_SUBREAPER, ctypes.byref(answer), 0, 0, 0)
    return not failed and bool(answer.value)


def _ended_children() -> set[int]:
    """Return the children that have ended and whose exit statuses nobody has taken."""
    if not _has_ended(os.P_ALL, 0):  # as nearly always: this is one call, the other one many
        return set()
    return {child.pid for child in psutil.Process().children() if _has_ended(os.P_PID, child.pid)}


def _reap(pids: Iterable[int]) -> None:
    for pid in pids:
        with suppress(ChildProcessError):  # its owner was faster after all
            os.waitpid(pid, os.WNOHANG)


def _has_ended(kind: int, pid: int) -> bool:
    """Tell whether a child, or any, has ended; its exit status is left for whoever wants it."""
    with suppress(ChildProcessError):
        return os.waitid(kind, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return False
