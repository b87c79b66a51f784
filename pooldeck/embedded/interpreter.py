"""What the end of the interpreter, and a fork of it, mean for the pools in it.

As with the standard library's executors, a program ends when its calls have ended.
"""

import os
import threading
import weakref
from concurrent.futures import thread as _before_us  # noqa: F401 - see `_finish`
from typing import Final, Protocol


class Ends(Protocol):
    """Something with a thread of its own."""

    def close(self, refusal: str) -> None:
        """Take nothing more; end when everything is done."""

    def join(self) -> None:
        """Wait for the end."""

    def disown(self) -> None:
        """Be of no use: this is a forked child, and the thread is the parent's."""


_alive: "weakref.WeakSet[Ends]" = weakref.WeakSet()
_is_ending = False
_ENDING: Final = "cannot schedule new futures after interpreter shutdown"


def register(ends: Ends) -> None:
    """Have something closed and waited for before the interpreter ends.

    Raises:
        RuntimeError: If it is ending already.
    """
    if _is_ending:
        raise RuntimeError(_ENDING)
    _alive.add(ends)


def _finish() -> None:
    """Let every pool finish.

    This runs before what was registered earlier, and so while the helper threads of our loops,
    which are those of a `ThreadPoolExecutor`, still take work.
    """
    global _is_ending  # noqa: PLW0603 - there is one interpreter, and it ends once
    _is_ending = True
    waiting = list(_alive)
    for ends in waiting:
        ends.close(_ENDING)
    for ends in waiting:
        ends.join()


def _disown_all() -> None:
    for ends in _alive:
        ends.disown()
    _alive.clear()


# `atexit` would be too late: the interpreter first waits for all threads, and so for ours.
threading._register_atexit(_finish)  # type: ignore[attr-defined]  # noqa: SLF001 - as concurrent.futures does
os.register_at_fork(after_in_child=_disown_all)
