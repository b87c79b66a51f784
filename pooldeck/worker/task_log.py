"""The logs and the progress of running calls: bounded, gathered, sent in batches.

A start that is not worth a frame of its own waits here too, ahead of everything else.

The call, its threads and the logging handler only add to a `TaskLog`. The worker's `Flusher` thread
sends it, and the call's end, which sends the rest before the outcome. So a flood of prints costs no
system calls, and code that runs at odd moments (`__del__`, signal handlers) can print without
meeting a lock that its own thread holds.
"""

import time
from collections.abc import Callable, Collection
from threading import Event, Lock, RLock, Thread

from pooldeck.protocol import Limits, Log, LogLine, Progress, Started
from pooldeck.text import LineBuffer, bounded

_NAME_BYTES = 200
_STREAM_LEVELS = {"stdout": "INFO", "stderr": "WARNING", "output": "INFO"}
_TICK = 0.1  # seconds
_IDLE_TICK = 10.0  # seconds, while nothing runs

_sleep = time.sleep  # kept, since tasks may replace time.sleep


class TaskLog:
    """The log and the progress of one call.

    What comes after its limits are reached (`is_full`) or the call has ended (`is_closed`) is
    dropped; a log that was cut says so.
    """

    def __init__(
        self, task: str, limits: Limits, send: Callable[[Started | Log | Progress], None]
    ) -> None:
        self._task = task
        self._limits = limits
        self._send = send
        self._adding = RLock()  # a __del__ may print while its own thread prints
        self._sending = Lock()  # keeps frames in order, and behind none of them the end
        self._lines: list[LogLine] = []
        self._progress: Progress | None = None
        self._start: Started | None = None
        self._partial: dict[str, LineBuffer] = {}
        self._lines_left = limits.log_lines
        self._bytes_left = limits.log_bytes
        self.is_full = False
        self.is_closed = False

    def keep_start(self, start: Started) -> None:
        """Send the start before anything else, or leave it to the end."""
        self._start = start

    def progress(self, fraction: float | None, message: str) -> None:
        """Set how far the call is; the latest counts."""
        text = bounded(message, self._limits.message_bytes)
        with self._adding:
            if not self.is_closed:
                self._progress = Progress(self._task, fraction, text)

    def log(self, level: str, source: str, message: str) -> None:
        if self.is_full or self.is_closed:
            return
        line = LogLine(
            time.time(),
            bounded(level, _NAME_BYTES),
            bounded(source, _NAME_BYTES),
            bounded(message, self._limits.message_bytes),
        )
        with self._adding:
            self._append(line)

    def write(self, source: str, text: str) -> None:
        """Add a piece of a stream: "stdout", "stderr" or "output"."""
        if self.is_full or self.is_closed:
            return
        with self._adding:
            buffer = self._partial.get(source)
            if buffer is None:
                buffer = self._partial[source] = LineBuffer(self._limits.message_bytes)
            for line in buffer.feed(text):
                self.log(_STREAM_LEVELS[source], source, line)

    def flush(self) -> None:
        """Send what has gathered, and the start in any case."""
        with self._sending:
            self._send_start()
            self._send_gathered()

    def close(self) -> Started | None:
        """Send the rest, unfinished lines too; return the start if there was no reason to send it.

        What a thread left behind adds later is lost.
        """
        with self._adding:
            for source, buffer in self._partial.items():
                for line in buffer.finish():
                    self.log(_STREAM_LEVELS[source], source, line)
            self.is_closed = True
        with self._sending:
            self._send_gathered()
            start, self._start = self._start, None
        return start

    def _send_start(self) -> None:
        if self._start is not None:
            self._send(self._start)
            self._start = None

    def _send_gathered(self) -> None:
        with self._adding:
            lines, self._lines = self._lines, []
            progress, self._progress = self._progress, None
        if lines:
            self._send_start()
            self._send(Log(self._task, lines))
        if progress is not None:
            self._send_start()
            self._send(progress)

    def _append(self, line: LogLine) -> None:
        if self.is_full or self.is_closed:  # asked again, now behind the lock
            return
        self._lines_left -= 1
        self._bytes_left -= len(line.message.encode())
        if self._lines_left < 0 or self._bytes_left < 0:
            self._cut(line.at)
        else:
            self._lines.append(line)

    def _cut(self, at: float) -> None:
        self.is_full = True
        most, is_by_lines = self._limits, self._lines_left < 0
        over = f"{most.log_lines:,} lines" if is_by_lines else f"{most.log_bytes:,} bytes"
        self._lines.append(LogLine(at, "WARNING", "pooldeck", f"log cut here: over {over}"))


class Flusher:
    """A thread that sends what open logs gather, ten times a second while anything runs.

    Before that it calls `on_tick` with them, which may add to them.
    """

    def __init__(self, on_tick: Callable[[Collection[TaskLog]], None]) -> None:
        self._on_tick = on_tick
        self._open: set[TaskLog] = set()
        self._work = Event()
        self._is_resting = False

    def start(self) -> None:
        Thread(target=self._run, name="pooldeck-flusher", daemon=True).start()

    def add(self, log: TaskLog) -> None:
        self._open.add(log)
        if self._is_resting:  # so that short calls in a row do not pay for waking a thread
            self._work.set()

    def discard(self, log: TaskLog) -> None:
        self._open.discard(log)

    def _run(self) -> None:
        while True:
            self._rest()
            _sleep(_TICK)  # first: a short call is over by then, and sends its log itself
            logs = tuple(self._open)
            self._on_tick(logs)
            for log in logs:
                log.flush()

    def _rest(self) -> None:
        self._work.clear()
        self._is_resting = True  # before the look at the set: a call that begins now sets the event
        if not self._open:
            self._work.wait(_IDLE_TICK)
        self._is_resting = False
