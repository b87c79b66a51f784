"""What the end of the interpreter, and a fork of it, mean for the pools in it.

As with the standard library's executors, a program ends when its calls have ended.
"""

import os
import threading
import weakref
from concurrent.futures import thread as _before_us  # noqa: F401 - see `_finish`
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pooldeck.embedded.engine import Engine

_alive: "weakref.WeakSet[Engine]" = weakref.WeakSet()
_is_ending = False
_ENDING: Final = "cannot schedule new futures after interpreter shutdown"


def register(engine: "Engine") -> None:
    """Have a pool's engine closed and waited for before the interpreter ends."""
    if _is_ending:
        raise RuntimeError(_ENDING)
    _alive.add(engine)


def _finish() -> None:
    """Let every pool finish.

    This runs before what was registered earlier, and so while the helper threads of our loops,
    which are those of a `ThreadPoolExecutor`, still take work.
    """
    global _is_ending  # noqa: PLW0603 - there is one interpreter, and it ends once
    _is_ending = True
    waiting = list(_alive)
    for engine in waiting:
        engine.close(_ENDING)
    for engine in waiting:
        engine.join()


def _disown_all() -> None:
    for engine in _alive:
        engine.disown()
    _alive.clear()


# `atexit` would be too late: the interpreter first waits for all threads, and so for ours.
threading._register_atexit(_finish)  # type: ignore[attr-defined]  # noqa: SLF001 - as concurrent.futures does
os.register_at_fork(after_in_child=_disown_all)
