"""The ends of a worker's process: by itself, or because a task calls `os._exit`."""

import contextlib
import operator
import os
import traceback
from collections.abc import Callable
from typing import Final, NoReturn

from pooldeck.worker import capture

DONE: Final = 0
FAILED: Final = 1

end = os._exit  # kept, since tasks meet a wrapped one


def leave(code: int) -> NoReturn:
    """End the process, whatever threads the tasks have left behind."""
    capture.flush()
    end(code)


def give_up() -> NoReturn:
    """End after an error that is no task's: a dead worker is noticed, a hanging one is not."""
    with contextlib.suppress(OSError):  # the error may be that standard error is gone
        traceback.print_exc()
    leave(FAILED)


def on_os_exit(report: Callable[[int], None]) -> None:
    """Let `os._exit` call `report` with the exit code before it ends the process."""

    def exit_(status: int) -> NoReturn:
        code = operator.index(status)
        report(code)
        end(code)

    os._exit = exit_
