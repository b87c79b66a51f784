"""Whether the user's code may have changed what Python does with a signal.

To look at the handlers of all signals takes longer than a short call. So the functions that change
them are wrapped, and only after one of them was called is there anything to look at. What C code
makes of a signal by itself, Python cannot see in either way.
"""

import _signal  # type: ignore[import-not-found]  # what all of `signal` comes by
import signal
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

_SETTERS: Final = ("signal", "set_wakeup_fd")
_SHARED: Final = "set_wakeup_fd"  # which `signal` has from there as it is


class SignalChanges:
    """Notes changes from now on; to be made before the user's modules take what makes them."""

    def __init__(self) -> None:
        self.may_differ = False
        for name in _SETTERS:
            setattr(_signal, name, self._noting(getattr(_signal, name)))
        setattr(signal, _SHARED, getattr(_signal, _SHARED))

    def _noting(self, setter: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(setter)
        def noting(*arguments: Any, **options: Any) -> Any:
            self.may_differ = True
            return setter(*arguments, **options)

        return noting
