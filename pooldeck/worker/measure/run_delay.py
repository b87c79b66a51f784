"""For how long something was ready while no CPU was free, as Linux tells it."""

import os
from typing import Final

_BYTES: Final = 100


def for_cpu(which: str = "thread-self") -> float | None:
    """Return it in seconds since the start of a thread, see `/proc/PID/schedstat` in proc(5).

    Args:
        which: A process, by its id; its first thread counts. Or the calling thread.

    Returns:
        None where nobody knows: on other systems, or without a file descriptor left.
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
