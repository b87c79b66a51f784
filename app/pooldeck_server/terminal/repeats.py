"""What comes again and again is said a few times, then counted: a line a minute says how often."""

import logging
import threading
import time
from collections.abc import Hashable
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from typing import Final, TextIO

from pooldeck_server.terminal.lines import REQUESTS, Repeated, subjects

REPEATED_SECONDS: Final = 60.0
"""How long lines of one kind are counted, until one says how many there were."""

SAID_FIRST: Final = 5
"""Lines of a kind that are written one by one, within that time."""

_TOLD_APART: Final = ("pool", "function", "module")


@dataclass
class _Repetition:
    """The lines of one kind since a moment of the monotonic clock."""

    since: float
    said: int = 0
    unsaid: int = 0
    latest: logging.LogRecord | None = None  # of those that are not said

    def is_over(self, before: float) -> bool:
        return not self.unsaid and self.since <= before


class Terminal(logging.StreamHandler[TextIO]):
    """Writes lines, of each kind the first few; sums the others up when their time is over.

    Lines are of one kind if one place in the code writes them, about the same pool, function and
    module.
    """

    def __init__(self, stream: TextIO, seconds: float = REPEATED_SECONDS) -> None:
        super().__init__(stream)
        self._seconds = seconds
        self._kinds: dict[Hashable, _Repetition] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or count it."""
        if _is_always_said(record):
            super().emit(record)
            return
        kind = self._kind_of(record)
        if kind.said < SAID_FIRST:
            kind.said += 1
            super().emit(record)
            return
        if not kind.unsaid:
            self._sum_up_later(kind)
        kind.unsaid += 1
        kind.latest = record

    def _kind_of(self, record: logging.LogRecord) -> _Repetition:
        key = _key(record)
        now = time.monotonic()
        past = now - self._seconds
        if key not in self._kinds or self._kinds[key].is_over(past):
            self._kinds = {name: one for name, one in self._kinds.items() if not one.is_over(past)}
            self._kinds[key] = _Repetition(now)
        return self._kinds[key]

    def _sum_up_later(self, kind: _Repetition) -> None:
        pause = max(0.0, kind.since + self._seconds - time.monotonic())
        timer = threading.Timer(pause, self._sum_up, (kind,))
        timer.daemon = True
        with suppress(RuntimeError):  # the process ends, and `close` sums up
            timer.start()

    def _sum_up(self, kind: _Repetition) -> None:
        """Write one line for those that were not; what comes within another minute is counted."""
        self.acquire()
        try:
            self._say_how_many(kind)
        finally:
            self.release()

    def _say_how_many(self, kind: _Repetition) -> None:
        if kind.latest is not None:
            now = time.monotonic()
            summary = copy(kind.latest)
            if kind.unsaid > 1:
                summary.repeated = Repeated(kind.unsaid, round(now - kind.since))
            kind.since, kind.unsaid, kind.latest = now, 0, None
            super().emit(summary)

    def close(self) -> None:
        """Write what has only been counted; `logging` calls it as the process ends."""
        for kind in list(self._kinds.values()):
            self._sum_up(kind)
        super().close()


def _is_always_said(record: logging.LogRecord) -> bool:
    """Tell whether a line is never left out: a defect may have a number that a client was told."""
    is_for_the_verbose = record.levelno <= logging.DEBUG or record.name == REQUESTS
    return is_for_the_verbose or record.exc_info is not None


def _key(record: logging.LogRecord) -> Hashable:
    about = subjects(record)
    return record.name, str(record.msg), *map(about.get, _TOLD_APART)
