"""Capture of a task's `print` and `logging` into its log.

Python's own writing is told apart by the context variable of `current_task()`, so that tasks in
threads side by side keep their own logs. What is said outside a task goes to the worker's own log;
before there is one, and in a forked child, it goes to descriptors 1 and 2.

Records of `logging` are taken on their way to the handlers, so that they need none of ours, which a
task could take away. What the user's handlers write to standard output or error while they handle
a record is dropped: the record has been taken.
"""

import contextlib
import functools
import io
import logging
import os
import sys
import threading
from collections.abc import Callable
from threading import get_ident
from typing import Any, Final

from pooldeck.context import current_task, detach
from pooldeck.text import shown
from pooldeck.worker.logs.gathered_log import GatheredLog
from pooldeck.worker.logs.output import OutputFile
from pooldeck.worker.logs.task_log import OwnLog, TaskLog

_OUTSIDE: Final = logging.Formatter("%(levelname)s %(name)s: %(message)s")
_INSIDE: Final = logging.Formatter("%(message)s")
_complainant: Final = logging.Handler()
_LEVELS: Final = {
    number: logging.getLevelName(number)
    for number in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)
}
"""Their names, which tasks may change, to coloured ones for instance."""

_handling: Final[set[int]] = set()  # threads in which handlers handle what has been taken


class _Outside:
    """Where words go that belong to no task, and how what is written past Python gets ahead."""

    log: OwnLog | None = None
    catch_up: Callable[[], None] = staticmethod(lambda: None)


def install() -> None:
    """Take over `sys.stdout`, `sys.stderr` and the records of `logging` in this process."""
    global _streams  # noqa: PLW0603 - set once, at the start of the process
    _streams = _Stream(1, "stdout"), _Stream(2, "stderr")
    sys.__stdout__, sys.__stderr__ = _streams  # type: ignore[misc]  # for the few who use them
    restore_streams()
    os.register_at_fork(after_in_child=_leave_to_parent)
    logging.getLogger().setLevel(logging.INFO)
    logger: Any = logging.Logger
    logger.callHandlers = _taking(logger.callHandlers)
    handler: Any = logging.Handler
    handler.handleError = _speaking(handler.handleError)


def send_rest_to(log: OwnLog, output: OutputFile | None) -> None:
    """Send what is said outside of tasks to the worker's own log from now on.

    What C code and children write to `output` is moved before what is said after it.
    """
    flush()  # what the imports have begun
    _Outside.log = log
    if output is not None:
        _Outside.catch_up = output.catch_up


def restore_streams() -> None:
    """Put our streams back as standard output and error."""
    sys.stdout, sys.stderr = _streams


def strange_streams() -> tuple[Any, Any] | None:
    """Return what stands as standard output and error, if a task has put its own there."""
    standing = sys.stdout, sys.stderr
    return None if standing[0] is _streams[0] and standing[1] is _streams[1] else standing


def hooks() -> tuple[Any, Any]:
    """Return what says why a thread broke, and what no code could handle."""
    return threading.excepthook, sys.unraisablehook


def restore_hooks(found: tuple[Any, Any]) -> None:
    """Put them back, so that no task silences the threads of another."""
    threading.excepthook, sys.unraisablehook = found


def flush() -> None:
    """Write what is left in the buffers of the standard streams to its descriptor."""
    for stream in (sys.stdout, sys.stderr, *_streams):
        with contextlib.suppress(Exception):  # a task closed the stream, or put its own in place
            stream.flush()


def flush_strange() -> None:
    """Do so where a task has put a stream of its own in place; ours keep nothing back from it."""
    if strange_streams() is not None:
        flush()


class _Descriptor(io.FileIO):
    """A descriptor that no wrapper of a task's closes for the next one.

    Bytes of a task go to its log, as its text does.
    """

    def __init__(self, descriptor: int, source: str) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self._source = source

    def close(self) -> None:
        """Stay open."""

    def write(self, data: Any) -> int:
        view = memoryview(data)
        if _handling and get_ident() in _handling:
            return view.nbytes
        log = _current_log()
        if log is None:
            return super().write(view)
        _Outside.catch_up()
        log.write_bytes(self._source, view)
        return view.nbytes


class _Stream(io.TextIOWrapper):
    """Standard output or error: lines of a task go to its log, the rest to the descriptor.

    Its `buffer` keeps nothing back.
    """

    def __init__(self, descriptor: int, source: str) -> None:
        raw: Any = _Descriptor(descriptor, source)
        super().__init__(raw, "utf-8", "backslashreplace", line_buffering=True)
        self._source = source
        self._is_at_start = True  # of a line, as far as it is known: tasks side by side share it

    def close(self) -> None:
        """Stay open: the next task prints here, too."""
        self.flush()

    def detach(self) -> Any:
        """Return what is below, and stay on it."""
        self.flush()
        return self.buffer

    def write(self, text: str) -> int:
        if _handling and get_ident() in _handling:
            return len(text)
        log = _current_log()
        if log is None or not isinstance(text, str):
            return super().write(text)
        if self._is_at_start:
            _Outside.catch_up()
        self._is_at_start = text[-1:] == "\n"
        log.write(self._source, text)
        return len(text)


_streams: tuple[_Stream, _Stream]


def _taking(call_handlers: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(call_handlers)
    def taking(logger: logging.Logger, record: logging.LogRecord) -> None:
        _take(record)
        if not logger.hasHandlers():
            return
        ident = get_ident()
        is_outermost = ident not in _handling
        _handling.add(ident)
        try:
            call_handlers(logger, record)
        finally:
            if is_outermost:
                _handling.discard(ident)

    return taking


def _speaking(handle_error: Callable[..., None]) -> Callable[..., None]:
    """Let what a handler says of its own failure be heard."""

    @functools.wraps(handle_error)
    def speaking(handler: logging.Handler, record: logging.LogRecord) -> None:
        ident = get_ident()
        was_handling = ident in _handling
        _handling.discard(ident)
        try:
            handle_error(handler, record)
        finally:
            if was_handling:
                _handling.add(ident)

    return speaking


def _take(record: logging.LogRecord) -> None:
    log = _current_log()
    try:
        if log is None:
            _streams[1].write(_text(_OUTSIDE, record) + "\n")
        else:
            _Outside.catch_up()
            level = _LEVELS.get(record.levelno, record.levelname)
            log.log(level, record.name, _text(_INSIDE, record))
    except Exception:  # noqa: BLE001 - what the user's factory makes may be no record at all
        _complainant.handleError(record)


def _text(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    try:
        return formatter.format(record)
    except Exception as error:  # noqa: BLE001 - a record's arguments are the user's objects
        why = f"{type(error).__name__}: {shown(error)}"
        return f"{shown(record.msg)} (it cannot be formatted: {why})"


def _current_log() -> GatheredLog | None:
    reporter = current_task().reporter
    return reporter if type(reporter) is TaskLog else _Outside.log


def _leave_to_parent() -> None:
    """Let a forked child write to the descriptors: it has no part in its worker's pipe."""
    _Outside.log = None
    _Outside.catch_up = staticmethod(lambda: None)
    detach()
