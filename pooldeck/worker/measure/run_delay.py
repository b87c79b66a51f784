"""The run delay of a thread or process: how long it was ready while no CPU was free (Linux)."""

import os
from typing import Final

_BYTES: Final = 100


def for_cpu(which: str = "thread-self") -> float | None:
    """Return it in seconds since the start of a thread, see `/proc/PID/schedstat` in proc(5).

    `which` is the id of a process, whose first thread counts, or the calling thread. None where it
    is not known: on other systems, or without a file descriptor left.
    """
    try:
        descriptor = os.open(f"/proc/{which}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return int(os.read(descriptor, _BYTES).split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return None
    finally:
        os.close(descriptor)
