"""The ends of a worker's process: by itself, or because a task calls `os._exit`."""

import atexit
import contextlib
import gc
import io
import operator
import os
import sys
import threading
import traceback
from collections.abc import Callable, Collection
from threading import Thread
from time import monotonic
from typing import Any, Final, NoReturn

from pooldeck.worker.logs import capture

DONE: Final = 0
FAILED: Final = 1

_forked: Final = threading.Event()  # set in forked children

end = os._exit  # kept, since tasks meet a wrapped one


def finish(left_alone: Collection[Thread], seconds: float) -> None:
    """Do what Python does at the end of a program: wait for threads, then what `atexit` knows.

    Threads that are no daemons are waited for during half of the time, so that one of them that
    does not end leaves the other half to the rest. Whoever takes longer is ended by the supervisor.

    Args:
        left_alone: Threads that have been given up; nobody waits for them.
        seconds: How long all of it may take.
    """
    _end_threads(left_alone, monotonic() + seconds / 2)
    atexit._run_exitfuncs()  # noqa: SLF001 - as `multiprocessing` ends its processes
    _write_buffers()


def _end_threads(left_alone: Collection[Thread], until: float) -> None:
    Thread(target=_end_executors, name="pooldeck-end", daemon=True).start()
    _end_main_thread()
    ours = {threading.main_thread(), *left_alone}
    while others := [each for each in threading.enumerate() if _is_awaited(each, ours)]:
        if monotonic() >= until:
            names = ", ".join(each.name for each in others)
            print(f"waited for no longer at the end: {names}", file=sys.stderr)  # noqa: T201 - the worker's own log
            return
        for thread in others:
            thread.join(max(0.0, until - monotonic()))


def _end_executors() -> None:
    """Tell the threads of executors to end, as Python does before it waits for threads.

    On a thread of its own: it waits for all of them, whichever have been given up.
    """
    registered: Any = threading
    for tell in reversed(registered._threading_atexits):  # noqa: SLF001 - nothing else tells them
        tell()


def _end_main_thread() -> None:
    """Let the main thread count as ended, as Python does: threads may wait for that to end."""
    main: Any = threading.main_thread()
    if not main.is_alive():  # a task has told so already
        return
    if hasattr(main, "_os_thread_handle"):  # since Python 3.13
        main._os_thread_handle._set_done()  # noqa: SLF001 - nothing else tells the threads
    else:
        main._tstate_lock.release()  # noqa: SLF001
        main._stop()  # noqa: SLF001


def _write_buffers() -> None:
    """Write what files that are still open keep back, as Python does at its end."""
    for each in gc.get_objects():
        if issubclass(type(each), (io.TextIOWrapper, io.BufferedWriter)):
            with contextlib.suppress(Exception):  # it may be closed, or its disk full
                each.flush()


def _is_awaited(thread: Thread, ours: Collection[Thread]) -> bool:
    return not thread.daemon and thread not in ours


def install_for_forks() -> None:
    """Let forked children of tasks end where the function of their task ends."""
    os.register_at_fork(after_in_child=_forked.set)


def end_forked(exception: BaseException | None = None) -> None:
    """End the process, as a program would, if it is a forked child whose task's function has ended.

    Nothing of the worker's is its own: it must report no outcome, and take no further calls.
    """
    if not _forked.is_set():
        return
    code: object = DONE if exception is None else FAILED
    if isinstance(exception, SystemExit):
        code = DONE if exception.code is None else exception.code
    elif exception is not None:
        traceback.print_exception(exception)
    if not isinstance(code, int):
        print(code, file=sys.stderr)  # noqa: T201 - as Python does it
        code = FAILED
    leave(code)


def leave(code: int) -> NoReturn:
    """End the process, whatever threads the tasks have left behind."""
    try:
        capture.flush()
    finally:  # a task may have destroyed whatever that needs
        end(code)


def give_up() -> NoReturn:
    """End after an error that is no task's: a dead worker is noticed at once, a hanging one late.

    Called in a `finally`: the names that an `except` looks up may be what a task has destroyed.
    """
    try:
        traceback.print_exc()
    finally:  # standard error may be gone, or whatever else that needs
        leave(FAILED)


def on_os_exit(report: Callable[[int], None]) -> None:
    """Let `os._exit` call `report` with the exit code before it ends the process."""

    def exit_(status: int) -> NoReturn:
        code = operator.index(status)
        report(code)
        end(code)

    os._exit = exit_
