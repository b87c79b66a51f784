"""CPU time of child processes, by the thread that waited for them.

The kernel adds up what the children of a process have used, and not for which thread. In a worker
where calls run side by side, `os.waitpid` is therefore made of `os.wait4`, which tells for the one
child whose end is taken. `subprocess`, `asyncio` and `multiprocessing` wait by `os.waitpid`.
"""

import os
import threading

_reaped = threading.local()


def install() -> None:
    """Let `os.waitpid` count what ended children have used.

    Before the user's modules are imported: `subprocess` keeps the function that it finds.
    """
    os.waitpid = _waitpid


def reaped_cpu() -> float:
    """Return the CPU seconds of all children whose end the calling thread has taken."""
    cpu: float = getattr(_reaped, "cpu", 0.0)
    return cpu


def _waitpid(pid: int, options: int, /) -> tuple[int, int]:
    ended, status, usage = os.wait4(pid, options)
    if ended:
        _reaped.cpu = reaped_cpu() + usage.ru_utime + usage.ru_stime
    return ended, status
