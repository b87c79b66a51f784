"""The limits that the operating system sets to a worker, put back when a task has changed them.

To ask for all of them takes longer than the rest of what is put back after a task. So the functions
that change limits are wrapped, and only after one of them was called is there anything to do.
"""

import resource
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

_LIMITS: Final = {
    getattr(resource, name): name for name in sorted(dir(resource)) if name.startswith("RLIMIT_")
}
_SETTERS: Final = ("setrlimit", "prlimit")


class ResourceLimits:
    """The limits of this process; to be made before the user's modules take what sets them."""

    def __init__(self) -> None:
        self._limits: dict[int, tuple[int, int]] = {}
        self._may_differ = False
        self._set = resource.setrlimit
        for name in _SETTERS:
            if (setter := getattr(resource, name, None)) is not None:
                setattr(resource, name, self._noting(setter))

    def keep(self) -> None:
        """Take the limits as they are now for those that are put back."""
        self._limits = {which: resource.getrlimit(which) for which in _LIMITS}

    def restore(self) -> list[str]:
        """Put back what a task has changed; return the names of limits that stay as they are."""
        if not self._may_differ:
            return []
        self._may_differ = False
        return [_LIMITS[which] for which in _LIMITS if not self._put_back(which)]

    def _put_back(self, which: int) -> bool:
        """Set a limit as it was; a hard one that was lowered stays so for who has no rights."""
        kept = self._limits[which]
        if resource.getrlimit(which) == kept:
            return True
        try:
            self._set(which, kept)
        except (OSError, ValueError):
            return False
        return True

    def _noting(self, setter: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(setter)
        def noting(*arguments: Any) -> Any:
            self._may_differ = True
            return setter(*arguments)

        return noting
