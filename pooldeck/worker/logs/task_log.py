"""The logs of a worker's calls, its own log, and the progress of calls.

A start that is not worth a frame of its own waits here too, ahead of everything else.
"""

from collections.abc import Callable

from pooldeck.last_words import OF_WORKER
from pooldeck.masking import Mask
from pooldeck.protocol import Call, Log, LogLine, Progress, Started, WorkerLog
from pooldeck.text import bounded
from pooldeck.worker.logs.gathered_log import GatheredLog, Outlet
from pooldeck.worker.logs.moving_lines import LineStream


class TaskLog(GatheredLog):
    """The log and the progress of one call.

    What comes when it has ended (`is_closed`), from a thread that it left, goes to the worker's own
    log under its name.
    """

    def __init__(self, call: Call, outlet: Outlet, own: "OwnLog", mask: Mask | None = None) -> None:
        super().__init__(outlet, mask)
        self.owner = call.task, call.attempt
        self._function = call.function
        self._own = own
        self._progress: Progress | None = None
        self._start: Started | None = None

    def keep_start(self, start: Started) -> None:
        """Send the start before anything else, or leave it to the end."""
        self._start = start

    def progress(self, fraction: float | None, message: str) -> None:
        """Set how far the call is; the latest counts."""
        if self._is_masked:
            message = self._masked(message)
        text = bounded(message, self._most)
        with self._adding:
            if not self.is_closed:
                self._progress = Progress(self.owner[0], fraction, text)

    def flush(self) -> None:
        """Send what has gathered and is due, and the start in any case."""
        with self._sending:
            self._send_start()
            self._send_all(is_last=False)

    def close(self) -> Started | None:
        """Send the rest, unfinished lines too; return the start if there was no need of a frame."""
        with self._adding:
            if self._interjections:
                self._add_interjections()
            if self._streams:
                self._finish_streams()
            self._heir = self._own
        with self._sending:
            if self._has_begun or self._progress is not None:
                self._send_all(is_last=True)
            start, self._start = self._start, None
        return start

    def _send_all(self, *, is_last: bool) -> None:
        self._send_gathered(is_last=is_last)
        with self._adding:
            progress, self._progress = self._progress, None
        if progress is not None:
            self._send_start()
            self._outlet.send(progress)

    def _send_start(self) -> None:
        if self._start is not None:
            self._outlet.send(self._start)
            self._start = None

    def _as_late(self, source: str) -> str:
        return f"{source} of {self._function} ({self.owner[0]})"

    def _send(self, lines: list[LogLine]) -> None:
        self._send_start()
        task, attempt = self.owner
        self._outlet.send(Log(task, lines, attempt))


class OwnLog(GatheredLog):
    """The log of the worker itself: what nobody can say of which call it is.

    Args:
        outlet: Where it goes.
        wake: Called when there is something to send.
    """

    owner = OF_WORKER

    def __init__(self, outlet: Outlet, wake: Callable[[], None]) -> None:
        super().__init__(outlet)
        self._wake = wake

    def _keep(self, line: LogLine) -> None:
        super()._keep(line)
        self._wake()

    def _grow(self, stream: LineStream, text: str) -> None:
        super()._grow(stream, text)
        self._wake()

    def _send(self, lines: list[LogLine]) -> None:
        self._outlet.send(WorkerLog(lines))
