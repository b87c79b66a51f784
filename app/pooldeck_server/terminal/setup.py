"""Which lines go to standard error."""

import logging
import os
import sys
import threading
from types import TracebackType
from typing import Final

from pooldeck_server.settings import TerminalSettings
from pooldeck_server.terminal.lines import JsonLine, TextLine
from pooldeck_server.terminal.repeats import Terminal

_log = logging.getLogger(__name__)
_OURS: Final = ("pooldeck_server", "pooldeck")
_LEVELS: Final = {"quiet": logging.WARNING, "normal": logging.INFO, "verbose": logging.DEBUG}


def speak(settings: TerminalSettings) -> None:
    """Let all that is logged from now on, and warnings of Python, go to standard error."""
    handler = Terminal(sys.stderr)
    handler.setLevel(_LEVELS[settings.level])
    handler.setFormatter(JsonLine() if settings.format == "json" else TextLine(_is_coloured()))
    # The logger's level is not the terminal's: the log file may have the server's lines too.
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.addHandler(handler)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    if settings.level == "verbose":
        for name in _OURS:
            logging.getLogger(name).setLevel(logging.DEBUG)
    logging.captureWarnings(capture=True)
    sys.excepthook = _process_failed
    threading.excepthook = _thread_failed


def _is_coloured() -> bool:
    is_wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return is_wanted and sys.stderr.isatty()


def _process_failed(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    _log.critical("the process ended by a defect of the server", exc_info=(kind, error, trace))


def _thread_failed(failure: threading.ExceptHookArgs) -> None:
    name = failure.thread.name if failure.thread else "unknown"
    _log.critical("thread %s ended by a defect of the server", name, exc_info=failure.exc_value)
