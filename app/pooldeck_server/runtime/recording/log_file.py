"""The log file: the lines of all tasks of all workers in one place, in the order of their coming.

Workers send their lines to the server; the event loop leaves them here, and one thread writes them.
The loop never waits for the disk: what comes faster than it can be written, or while it cannot be,
is dropped and counted, and both the file and the server's own log say so.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import Final

from pooldeck.protocol import LogLine
from pooldeck.text import bounded
from pooldeck_server.domain.errors import StartupError
from pooldeck_server.domain.tasks.log import LogWindow
from pooldeck_server.runtime.recording.log_format import LogRecord, Origin, formatter
from pooldeck_server.runtime.recording.rotating_file import RotatingFile
from pooldeck_server.runtime.recording.standard_output import StandardOutput
from pooldeck_server.settings.log import LogSettings

_log = logging.getLogger(__name__)
_lines: Final = logging.Formatter()
_MOST_WAITING: Final = 16 * 1024 * 1024  # characters of messages
_RECORD: Final = 200  # characters that a record takes beside its message
_MOST_MESSAGE: Final = 64 * 1024  # bytes of a message of the server's own
_RETRY_SECONDS: Final = 1.0
_LAST_SECONDS: Final = 5.0  # for the rest to be written, when the server stops


@dataclass(eq=False)
class LogFile:
    """Writes log lines to a file, on a thread of its own."""

    file: RotatingFile | StandardOutput
    form: Callable[[LogRecord], bytes]  # makes a line of a record
    hidden: Collection[str] = ()  # levels that are left out
    dropped: int = field(init=False, default=0)  # lines since the start
    trouble: str | None = field(init=False, default=None)  # why it cannot be written at present
    _changed: Condition = field(init=False, default_factory=Condition)
    _waiting: list[LogRecord] = field(init=False, default_factory=list)
    _size: int = field(init=False, default=0)  # of what waits
    _overflow: int = field(init=False, default=0)  # lines that came after it, and were dropped
    _missing: int = field(init=False, default=0)  # lines that the file does not have, unsaid yet
    _is_closing: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._thread = Thread(target=self._run, name="log-file", daemon=True)

    @property
    def size_bytes(self) -> int:
        return self.file.size_bytes

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, for some seconds at most, and close the file; it blocks."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join(_LAST_SECONDS)

    def add_lines(self, origin: Origin, lines: Sequence[LogLine]) -> None:
        """Take lines of a task's log; returns at once."""
        self._queue(
            [
                LogRecord(line.at, line.level, line.source, line.message, origin)
                for line in lines
                if line.level not in self.hidden
            ]
        )

    def add_record(self, record: LogRecord) -> None:
        """Take a record of the server's own, from any thread; returns at once."""
        if record.level not in self.hidden:
            self._queue([record])

    def _queue(self, records: list[LogRecord]) -> None:
        with self._changed:
            if self._size > _MOST_WAITING:
                self._overflow += len(records)
                return
            self._waiting += records
            self._size += sum(_RECORD + len(record.message) for record in records)
            self._changed.notify()

    # The thread.

    def _run(self) -> None:
        while not self._is_done():
            records, overflow = self._next()
            self._write([self.form(record) for record in records])
            if overflow:
                self._miss(overflow)
                self._write([])
        self.file.close()

    def _is_done(self) -> bool:
        with self._changed:
            return self._is_closing and not self._waiting

    def _next(self) -> tuple[list[LogRecord], int]:
        """Return what waits, and how many lines after it were dropped."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._waiting or self._is_closing,
                timeout=_RETRY_SECONDS if self._missing else None,
            )
            records, self._waiting = self._waiting, []
            overflow, self._overflow = self._overflow, 0
            self._size = 0
        return records, overflow

    def _write(self, lines: Sequence[bytes]) -> None:
        """Append lines, after a word on those before them that are missing."""
        word = [self._gap()] if self._missing else []
        before = self.file.lines
        try:
            self.file.append([*word, *lines])
        except OSError as error:
            written = self.file.lines - before
            if word and written:
                self._missing, written = 0, written - 1
            self._miss(len(lines) - written)
            self._complain(error)
        else:
            self._missing = 0
            self._go_on()

    def _miss(self, lines: int) -> None:
        self._missing += lines
        self.dropped += lines

    def _gap(self) -> bytes:
        words = f"{self._missing:,} lines are missing here: they could not be written in time"
        return self.form(LogRecord(time.time(), "WARNING", "pooldeck", words, None))

    def _complain(self, error: OSError) -> None:
        words = error.strerror or str(error)
        if self.trouble is None:
            _log.error(
                "the log file %s cannot be written: %s; lines are dropped until it can",
                self.file.path,
                words,
            )
        self.trouble = words

    def _go_on(self) -> None:
        if self.trouble is not None:
            _log.warning(
                "the log file %s is written again; %d lines have been dropped since the start",
                self.file.path,
                self.dropped,
            )
            self.trouble = None


class ServerRecords(logging.Handler):
    """Sends the server's own records to the log file."""

    def __init__(self, file: LogFile) -> None:
        super().__init__()
        self._file = file

    def emit(self, record: logging.LogRecord) -> None:
        self._file.add_record(
            LogRecord(
                at=record.created,
                level=record.levelname,
                source=record.name,
                message=bounded(record.getMessage(), _MOST_MESSAGE),
                origin=None,
                about=getattr(record, "about", {}),
                traceback=self._traceback(record),
            )
        )

    def _traceback(self, record: logging.LogRecord) -> str | None:
        if not record.exc_info:
            return None
        return bounded(_lines.formatException(record.exc_info), _MOST_MESSAGE)


@asynccontextmanager
async def open_log_file(settings: LogSettings | None) -> AsyncIterator[LogFile | None]:
    """Give the body the log file, written to by a thread; None where none is set.

    Raises:
        StartupError: If it cannot be opened.
    """
    if settings is None:
        yield None
        return
    least = LogWindow(limit=0, level=settings.level)
    file = LogFile(_opened(settings), formatter(settings.format), least.hidden)
    file.start()
    handler = ServerRecords(file)
    if settings.server:
        logging.getLogger().addHandler(handler)
    try:
        yield file
    finally:
        logging.getLogger().removeHandler(handler)
        await asyncio.to_thread(file.stop)


def _opened(settings: LogSettings) -> RotatingFile | StandardOutput:
    if settings.is_standard_output:
        return StandardOutput()
    path = settings.path.absolute()
    try:
        return RotatingFile(path, settings.max_bytes, settings.keep)
    except OSError as error:
        raise StartupError(
            f"the log file {path} cannot be opened: {error.strerror or error}; "
            "set another path under [log], or take the table out"
        ) from error
