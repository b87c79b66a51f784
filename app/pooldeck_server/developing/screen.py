"""What `pooldeck dev` writes: lines of tasks, ends, tracebacks and its own words, from any thread.

Words of tasks are shown without what a terminal would obey.
"""

import os
import re
import sys
from threading import Lock
from typing import Any, Final

from pooldeck_server.command_line.output import Output, is_closed
from pooldeck_server.domain.terminal_text import plain
from pooldeck_server.remote.formats import clock, duration

_RED: Final = "\x1b[31m"
_YELLOW: Final = "\x1b[33m"
_GREEN: Final = "\x1b[32m"
_CYAN: Final = "\x1b[36m"
_BOLD_RED: Final = "\x1b[1;31m"
_DIM: Final = "\x1b[2m"
_PLAIN: Final = "\x1b[0m"
_LEVELS: Final = {"WARNING": _YELLOW, "ERROR": _RED, "CRITICAL": _BOLD_RED}
_STATES: Final = {"succeeded": _GREEN, "failed": _RED, "lost": _RED, "cancelled": _YELLOW}
_PLACE: Final = re.compile(r'\s+File "')
_ERROR: Final = re.compile(r"[\w.]+(?:: .*)?$")
_SHORT: Final = 6  # characters of an id: its end, since tasks of one moment begin alike
_MOST_RESULT: Final = 200  # characters


class DevScreen:
    """Standard output, a line at a time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.is_terminal = Output().is_terminal
        self._is_coloured = self.is_terminal and not os.environ.get("NO_COLOR")

    def say(self, words: str, *, is_bad: bool = False) -> None:
        """Write words of our own."""
        self._write(
            [self._in(_RED if is_bad else _CYAN, line) for line in plain(words).split("\n")]
        )

    def task_line(self, record: dict[str, Any]) -> None:
        """Write a line of a task's log, or of a worker's own, as the log file has it."""
        whose = self._whose(record.get("function") or record.get("worker"), record.get("task"))
        lines = plain(record["message"]).split("\n")
        colour = _LEVELS.get(record["level"], "")
        at = self._in(_DIM, clock(record["time"]))
        self._write([f"{at} {whose} {self._in(colour, line)}" for line in lines])

    def end(self, task: dict[str, Any], place: str) -> None:
        """Write how a task has ended; `place` is where more of it is shown."""
        state, error = task["state"], task["error"]
        at = self._in(_DIM, clock(task["finished_at"]))
        said = self._in(_STATES.get(state, ""), state)
        took = duration((task["timing"] or {}).get("run"))
        head = f"{at} {self._whose(task['function'], task['id'])} {said} after {took}"
        if error is None:
            self._write([f"{head}{_result(task)}"])
            return
        self._write([f"{head}: see {place}", *self._traceback(_text_of(error))])

    def traceback(self, text: str) -> None:
        """Write a traceback, such as that of a module that cannot be loaded."""
        self._write(self._traceback(text))

    def _traceback(self, text: str) -> list[str]:
        return [self._in(_colour_of(line), line) for line in plain(text).rstrip().split("\n")]

    def _whose(self, name: str | None, task: str | None) -> str:
        short = f" {task[-_SHORT:]}" if task else ""
        return self._in(_CYAN, f"{plain(name or 'server')}{short}")

    def _in(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_PLAIN}" if colour and self._is_coloured else text

    def _write(self, lines: list[str]) -> None:
        if is_closed(sys.stdout):
            return
        encoding = sys.stdout.encoding or "ascii"
        text = "".join(f"{line}\n" for line in lines)
        with self._lock:
            sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
            sys.stdout.flush()


def _colour_of(line: str) -> str:
    """Return the colour of a line of a traceback: places stand back, errors come forward."""
    if _PLACE.match(line):
        return _DIM
    return _BOLD_RED if _ERROR.match(line) else ""


def _text_of(error: dict[str, Any]) -> str:
    return error.get("traceback") or f"{error['type'] or error['kind']}: {error['message']}"


def _result(task: dict[str, Any]) -> str:
    if task["state"] != "succeeded" or task["result"] is None:
        return ""
    text = plain(repr(task["result"]))
    return f": {text if len(text) <= _MOST_RESULT else text[:_MOST_RESULT] + '…'}"
