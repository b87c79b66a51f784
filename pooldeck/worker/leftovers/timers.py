"""The timers of a worker, which are ended after each call that set any.

Their handlers are not to run in what is ours, and most of their signals end a process that has no
handler for them. To end all takes longer than a short call. So the functions that set them are
wrapped, and only after one of them was called are they ended. But the alarm is ended in any case:
C code sets it, too.
"""

import _signal  # type: ignore[import-not-found]  # `signal` makes enums of all that it returns
import faulthandler
import signal
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

_OTHERS: Final = (signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
_ALARM: Final = signal.ITIMER_REAL
_set: Final = _signal.setitimer


class Timers:
    """The timers of this process; to be made before the user's modules take what sets them."""

    def __init__(self) -> None:
        self._may_run = False
        signal.setitimer = _signal.setitimer = self._noting(_set)
        later: Any = faulthandler
        later.dump_traceback_later = self._noting(faulthandler.dump_traceback_later)

    def end(self) -> None:
        """End those that a task has left."""
        _set(_ALARM, 0)
        if self._may_run:
            self._may_run = False
            for timer in _OTHERS:
                _set(timer, 0)
            faulthandler.cancel_dump_traceback_later()  # it may be told to end the process

    def _noting(self, setter: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(setter)
        def noting(*arguments: Any, **options: Any) -> Any:
            self._may_run = True
            return setter(*arguments, **options)

        return noting
