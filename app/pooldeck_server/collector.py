"""When the garbage collector looks at what."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def keeping() -> Iterator[None]:
    """Have what is there at the end, such as imported modules, never looked through for garbage.

    To look through it takes a sixth of a start, and later some milliseconds of the event loop each
    time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
