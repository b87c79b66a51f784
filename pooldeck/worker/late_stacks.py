"""Where a worker is that takes too long to begin or to end, written down before it is killed.

A stack can only be read while nothing changes it: a thread does it that has the GIL. faulthandler's
own watchdog waits for no GIL, and would follow pointers of frames that are just left, to a SIGSEGV
of a worker that was all right. It is left the one case in which nothing moves: C code has held the
GIL ever since the thread was due.
"""

import contextlib
import faulthandler
import os
from collections.abc import Iterator
from threading import Event, Thread
from typing import Final

_SHORTLY: Final = 5.0  # seconds: on a busy machine the start before this has taken some of them


@contextlib.contextmanager
def watched(fault: int | None, seconds: float) -> Iterator[None]:
    """Have stacks written to the descriptor `fault`, shortly before the body has taken `seconds`.

    Who takes longer is ended then, and can say no more where it was.
    """
    if fault is None:
        yield
        return
    due = max(seconds / 2, seconds - _SHORTLY)
    is_over = Event()
    watch = Thread(
        target=_write_unless, args=(is_over, due, fault), name="pooldeck-stacks", daemon=True
    )
    watch.start()
    faulthandler.dump_traceback_later((due + seconds) / 2, file=fault)
    try:
        yield
    finally:
        is_over.set()
        faulthandler.cancel_dump_traceback_later()
        watch.join()  # it may just be writing
        os.ftruncate(fault, 0)


def _write_unless(is_over: Event, seconds: float, fault: int) -> None:
    if not is_over.wait(seconds):
        faulthandler.cancel_dump_traceback_later()
        faulthandler.dump_traceback(fault)
