"""Points at which a test may have the server die, to see what a crash exactly there leaves behind.

`POOLDECK_FAIL_AT=NAME` in the environment ends this process by SIGKILL where it reaches the point
NAME, `NAME:N` where it does so for the Nth time. Nothing else sets that variable.
"""

import os
import signal
from typing import Final, Literal

FailPoint = Literal[
    "before_commit",  # all is written, nothing is committed
    "in_deletion",  # tasks are deleted, their counters are not written
    "after_commit",  # it is committed, and nobody knows
    "before_answer",  # the client's answer is ready, and not sent
    "after_handout",  # a worker has the task
    "before_alert",  # a message is in the store, and not sent
    "before_callback",  # the same of the end of a task
    "before_final_write",  # the outcome is known, and not on its way to the disk
]

VARIABLE: Final = "POOLDECK_FAIL_AT"


class Trap:
    """Ends the process when its point has been reached often enough."""

    def __init__(self, setting: str) -> None:
        self._point, _, times = setting.partition(":")
        self._times_left = int(times or 1)

    def reach(self, point: FailPoint) -> None:
        if point == self._point:
            self._times_left -= 1
            if self._times_left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


_trap = Trap(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None


def reach(point: FailPoint) -> None:
    """Die here, if that is what the environment asks for."""
    if _trap is not None:
        _trap.reach(point)
