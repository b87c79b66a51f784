"""How a line on standard error looks: as text for people, or as JSON for programs."""

import json
import logging
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from pooldeck.text import bounded
from pooldeck_server.runtime.recording.log_format import ESCAPES, exact_utc

REQUESTS: Final = "pooldeck_server.web.http.requests"
"""The logger that has a line for each HTTP request."""

_UNSEEN: Final = {code: escape for code, escape in ESCAPES.items() if chr(code) not in "\n\t"}
_YELLOW: Final = "\x1b[33m"
_RED: Final = "\x1b[31m"
_MOST_TRACEBACK: Final = 64 * 1024  # bytes
_PLAIN: Final = "\x1b[0m"


class Repeated(Struct, frozen=True):
    """That a line stands for several of its kind, of which it is the latest."""

    number: int
    seconds: int  # within which they came


def subjects(record: logging.LogRecord) -> Mapping[str, object]:
    """Return what a record is about, as `domain.log_subjects.about` has given it."""
    about: Mapping[str, object] = getattr(record, "about", {})
    return about


def _repeated(record: logging.LogRecord) -> Repeated | None:
    return getattr(record, "repeated", None)


class TextLine(logging.Formatter):
    """A line for people; further lines of a message are indented.

    What a terminal would obey is escaped: messages have words of tasks in them.
    """

    def __init__(self, is_coloured: bool) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._is_coloured = is_coloured

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record).translate(_UNSEEN).replace("\n", "\n    ")
        if repeated := _repeated(record):
            text += f" [the latest of {repeated.number} such lines in {repeated.seconds} s]"
        return self._coloured(text, record) if self._is_coloured else text

    def _coloured(self, text: str, record: logging.LogRecord) -> str:
        if record.levelno < logging.WARNING:
            return text
        colour = _RED if record.levelno >= logging.ERROR else _YELLOW
        return text.replace(record.levelname, f"{colour}{record.levelname}{_PLAIN}", 1)


class JsonLine(logging.Formatter):
    """A line for programs: an object, in ASCII whatever the encoding of the stream is."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "time": exact_utc(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **subjects(record),
        }
        if repeated := _repeated(record):
            fields |= {"repeated": repeated.number, "seconds": repeated.seconds}
        if record.exc_info:
            fields["traceback"] = bounded(self.formatException(record.exc_info), _MOST_TRACEBACK)
        return json.dumps(fields, default=str)
