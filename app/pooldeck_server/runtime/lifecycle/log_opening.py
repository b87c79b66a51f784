"""Opens the log file that is set, and closes it when all that writes to it has ended."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pooldeck_server.domain.errors import StartupError
from pooldeck_server.domain.tasks.log import LogWindow
from pooldeck_server.runtime.recording.log_file import LogFile
from pooldeck_server.runtime.recording.log_format import formatter
from pooldeck_server.runtime.recording.rotating_file import RotatingFile
from pooldeck_server.settings.log import LogSettings


class ServerRecords(logging.Handler):
    """Sends the server's own records to the log file."""

    def __init__(self, file: LogFile) -> None:
        super().__init__()
        self._file = file

    def emit(self, record: logging.LogRecord) -> None:
        """Pass a record on, with its traceback if it has one."""
        self._file.note(record.created, record.levelname, record.name, self.format(record))


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


def _opened(settings: LogSettings) -> RotatingFile:
    path = settings.path.absolute()
    try:
        return RotatingFile(path, settings.max_bytes, settings.keep)
    except OSError as error:
        raise StartupError(
            f"the log file {path} cannot be opened: {error.strerror or error}; "
            "set another path under [log], or take the table out"
        ) from error
