"""Capture of a task's `print` and `logging` into its log.

Python's own writing is told apart by the context variable of `current_task()`, so that tasks in
threads side by side keep their own logs. What is written outside a task goes to descriptors 1 and
2, as it does in a forked child.
"""

import contextlib
import io
import logging
import os
import sys

from pooldeck.context import current_task, detach
from pooldeck.worker.task_log import TaskLog

_OUTSIDE = logging.Formatter("%(levelname)s %(name)s: %(message)s")
_INSIDE = logging.Formatter("%(message)s")


def install() -> None:
    """Take over `sys.stdout`, `sys.stderr` and the root logger of this process."""
    sys.stdout = sys.__stdout__ = _Stream(1, "stdout")  # type: ignore[misc]  # for the few who use
    sys.stderr = sys.__stderr__ = _Stream(2, "stderr")  # type: ignore[misc]  # the original streams
    os.register_at_fork(after_in_child=detach)
    root = logging.getLogger()
    root.addHandler(_Handler())
    root.setLevel(logging.INFO)


def flush() -> None:
    """Write what is left in the buffers (of `sys.stdout.buffer`, say) to its descriptor."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with contextlib.suppress(Exception):  # a task closed the stream, or put its own in place
            stream.flush()  # type: ignore[union-attr]  # None is suppressed as well


class _Stream(io.TextIOWrapper):
    """Standard output or error: lines of a task go to its log, the rest to the descriptor."""

    def __init__(self, descriptor: int, source: str) -> None:
        binary = os.fdopen(descriptor, "wb", closefd=False)
        super().__init__(binary, "utf-8", "backslashreplace", line_buffering=True)
        self._source = source

    def close(self) -> None:
        """Stay open: the next task prints here, too."""
        self.flush()

    def write(self, text: str) -> int:
        log = _current_log()
        if log is None:
            return super().write(text)
        log.write(self._source, text)
        return len(text)


class _Handler(logging.Handler):
    """Sends records to the log of the task that made them."""

    def emit(self, record: logging.LogRecord) -> None:
        log = _current_log()
        try:
            if log is None:
                sys.stderr.write(_OUTSIDE.format(record) + "\n")
            elif not log.is_full:  # do not format what would be dropped
                log.log(record.levelname, record.name, _INSIDE.format(record))
        except Exception:  # noqa: BLE001 - a record's arguments are the user's objects
            self.handleError(record)


def _current_log() -> TaskLog | None:
    reporter = current_task().reporter
    return reporter if isinstance(reporter, TaskLog) else None
