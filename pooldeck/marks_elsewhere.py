"""Processes by psutil, where there is neither /proc nor a pidfd: the search for marks, and ends."""

import os
from collections.abc import Iterable
from contextlib import suppress
from time import monotonic, sleep

import psutil

from pooldeck.marks import AreIn

_PAUSE = 0.02  # seconds between two looks


def find(are_in: AreIn) -> list[int]:
    """Return the ids of the processes with the marks in their environment, without the caller's."""
    own = os.getpid()
    return [pid for pid in psutil.pids() if pid != own and _process(pid, are_in) is not None]


def end(pids: Iterable[int], are_in: AreIn, seconds: float) -> int:
    """Kill those that still have the marks, wait for so long, and return how many ended."""
    killed = []
    for pid in pids:
        if process := _process(pid, are_in):
            with suppress(psutil.Error):
                process.kill()  # psutil makes sure that the id was not given to another
                killed.append(process)
    deadline = monotonic() + seconds
    while not all(map(_has_ended, killed)) and monotonic() < deadline:
        sleep(_PAUSE)
    return sum(map(_has_ended, killed))


def _has_ended(process: psutil.Process) -> bool:
    """Do not wait: `psutil.wait_procs` would take a child's exit status from its parent."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_for_end(pid: int) -> None:
    """Wait until a process has ended, and leave its status to whoever reaps it. It blocks.

    Only a child can be waited for; a launcher may have had the worker started by another process.
    """
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    except (AttributeError, ChildProcessError):  # macOS has no waitid; or it is no child of ours
        while _runs(pid):
            sleep(_PAUSE)


def is_stopped(pid: int) -> bool:
    """Tell whether a signal has stopped a process."""
    with suppress(psutil.Error):
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    return False


def _runs(pid: int) -> bool:
    try:
        return not _has_ended(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return False
    except (psutil.Error, OSError):  # no file descriptor is left to look with
        return True


def _process(pid: int, are_in: AreIn) -> psutil.Process | None:
    """Return the process, or None if it is not meant, gone, or out of reach."""
    try:
        process = psutil.Process(pid)
        entries = process.environ().items()
    except (psutil.Error, OSError):
        return None
    text = "".join(f"{name}={value}\0" for name, value in entries)
    return process if are_in(f"\0{text}".encode(errors="surrogateescape")) else None
