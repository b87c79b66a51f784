"""The CPU time of child processes, by the thread that waited for them.

The kernel adds up what the children of a process have used, and not for which thread. In a worker
`os.waitpid` is therefore made of `os.wait4`, which tells for the one child whose end is taken; and
before that is taken, the kernel still tells for how long the child was ready and no CPU was free.
`subprocess`, `asyncio` and `multiprocessing` wait by `os.waitpid`.
"""

import os
from contextlib import suppress
from typing import Final, NamedTuple

from pooldeck.per_thread import PerThread
from pooldeck.worker.measure import run_delay

_ONLY_THE_END: Final = (0, os.WNOHANG)  # what to wait for; children may also stop and go on


class Reaped(NamedTuple):
    """What ended children have had: seconds on a CPU, and seconds ready for one in vain."""

    cpu: float
    delayed: float


_reaped: Final = PerThread(lambda: Reaped(0.0, 0.0))


def install() -> None:
    """Let `os.waitpid` count what ended children have had.

    Before the user's modules are imported: `subprocess` keeps the function that it finds.
    """
    os.waitpid = _waitpid


def reaped() -> Reaped:
    """Return what all children have had whose end the calling thread has taken."""
    return _reaped.value


def _waitpid(pid: int, options: int, /) -> tuple[int, int]:
    delayed = _delay_until_end(pid, options)
    ended, status, usage = os.wait4(pid, options)
    if ended:
        before = _reaped.value
        cpu = usage.ru_utime + usage.ru_stime
        _reaped.value = Reaped(before.cpu + cpu, before.delayed + delayed)
    return ended, status


def _delay_until_end(pid: int, options: int) -> float:
    """Wait for the end of a child without taking it; return for how long no CPU was free for it."""
    if pid > 0 and options in _ONLY_THE_END and hasattr(os, "waitid"):
        with suppress(ChildProcessError):  # `os.wait4` says so, too
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | options) is not None:
                return run_delay.for_cpu(str(pid)) or 0.0
    return 0.0
