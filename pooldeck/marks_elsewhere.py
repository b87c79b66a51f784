"""What `pooldeck.marks` does by /proc and pidfds, done by psutil where there are none (macOS)."""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from time import monotonic, sleep

import psutil

_PAUSE = 0.01  # seconds between two looks

AreIn = Callable[[bytes], bool]


def find(are_in: AreIn) -> list[int]:
    """Return the ids of the processes, without the caller's own, whose environment will do.

    Args:
        are_in: Judges an environment: entries that begin after a NUL and end in one.
    """
    own = os.getpid()
    return [pid for pid in psutil.pids() if pid != own and _process(pid, are_in) is not None]


def end(pids: Iterable[int], are_in: AreIn, seconds: float) -> int:
    """Kill the processes whose environment still will do, wait for them, return how many ended.

    Args:
        pids: What `find` found.
        are_in: As for `find`.
        seconds: How long to wait.
    """
    killed = []
    for pid in pids:
        if process := _process(pid, are_in):
            with suppress(psutil.Error):
                process.kill()  # psutil makes sure that the id was not given to somebody else
                killed.append(process)
    deadline = monotonic() + seconds
    while not all(map(_has_ended, killed)) and monotonic() < deadline:
        sleep(_PAUSE)
    return sum(map(_has_ended, killed))


def _has_ended(process: psutil.Process) -> bool:
    """Look, and no more: `psutil.wait_procs` would take a child's exit status from its parent."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
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
