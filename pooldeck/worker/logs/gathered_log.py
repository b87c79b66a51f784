"""What is said in a worker, gathered as numbered lines and sent in batches.

The call, its threads and the capture of logging only add to a log. The worker's `Flusher` thread
sends it, and the call's end, which sends the rest before the outcome. So a flood of prints costs no
system calls, and code that runs at odd moments (`__del__`, signal handlers) can print without
meeting a lock that its own thread holds. What is gathered lies in the worker's `LastWords` as well,
so that it survives the process.
"""

import codecs
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from threading import Lock, RLock
from typing import Final

from pooldeck.last_words import Owner
from pooldeck.masking import Mask
from pooldeck.protocol import FromWorker, Limits, LogLine
from pooldeck.text import bounded
from pooldeck.worker.logs.kept_lines import KeptLines
from pooldeck.worker.logs.last_words import LastWords, Said
from pooldeck.worker.logs.moving_lines import LineStream, MovingLines, draws, moves_up, steps
from pooldeck.worker.logs.secrets import RunningSecrets

_NAME_BYTES: Final = 200
_LEVELS: Final = {"stdout": "INFO", "stderr": "WARNING", "output": "INFO"}
_MANY: Final = 1000  # lines that come at once
_OPEN_PAUSE: Final = 0.5  # seconds between two times that an unfinished line is sent

_Decoder = codecs.getincrementaldecoder("utf-8")
_now = time.time  # kept, since tasks may replace them
_monotonic = time.monotonic


Interjection = tuple[Callable[..., None], tuple[str, ...]]
"""What code at an odd moment says while its own thread is adding something, and how to add it."""


@dataclass(frozen=True, eq=False)
class Outlet:
    """Where the logs of a worker go."""

    send: Callable[[FromWorker], None]
    limits: Limits
    words: LastWords
    secrets: RunningSecrets = field(default_factory=RunningSecrets)


class GatheredLog(ABC):
    """Lines that are gathered until they are sent, numbered from 1 and bounded."""

    owner: Owner

    def __init__(self, outlet: Outlet, mask: Mask | None = None) -> None:
        self._outlet = outlet
        self._own_mask = mask  # of the call whose log it is, for as long as anything may be said
        self._secrets = outlet.secrets
        self._most = outlet.limits.message_bytes
        self._adding = RLock()  # a __del__ may print while its own thread prints
        self._is_adding = False
        self._interjections: list[Interjection] = []
        self._sending = Lock()  # keeps frames in order, and behind none of them the end
        self._kept: KeptLines | None = None  # made with the first line
        self._streams: dict[str, LineStream] = {}
        self._moving: dict[str, MovingLines] = {}  # where a stream has several lines that change
        self._decoders: dict[str, codecs.IncrementalDecoder] = {}  # where there were bytes
        self._last_n = 0  # left out ones are counted
        self._has_begun = False  # to say something that is not sent yet
        self._open_due = 0.0  # a moment of the monotonic clock
        self._heir: GatheredLog | None = None  # takes what comes when this one is closed

    @property
    def is_closed(self) -> bool:
        return self._heir is not None

    @property
    def has_news(self) -> bool:
        """Whether something has gathered."""
        return bool(self._kept) or any(not one.is_sent for one in self._unfinished())

    def log(self, level: str, source: str, message: str) -> None:
        """Add a line, which may have line breaks in it."""
        with self._adding:
            if self._is_adding:
                self._interjections.append((self._log, (level, source, message)))
                return
            self._is_adding = True
            try:
                self._log(level, source, message)
                if self._interjections:
                    self._add_interjections()
            finally:
                self._is_adding = False

    def write(self, source: str, text: str) -> None:
        """Add a piece of a stream: "stdout", "stderr" or "output", and whose it is if another's."""
        with self._adding:
            if self._is_adding:
                self._interjections.append((self._write, (source, text)))
                return
            self._is_adding = True
            try:
                self._write(source, text)
                if self._interjections:
                    self._add_interjections()
            finally:
                self._is_adding = False

    def write_bytes(self, source: str, data: memoryview) -> None:
        """Add a piece of a stream that may end within a character."""
        decoder = self._decoders.get(source)
        if decoder is None:
            decoder = self._decoders[source] = _Decoder("replace")
        self.write(source, decoder.decode(data))

    def _add_interjections(self) -> None:
        while self._interjections:
            add, said = self._interjections.pop(0)
            add(*said)

    def _log(self, level: str, source: str, message: str) -> None:
        if self._heir is not None:
            self._heir.log(level, self._as_late(source), self._masked(message))
            return
        self._last_n += 1
        if self._is_masked:
            level, source, message = map(self._masked, (level, source, message))
        line = LogLine(
            _now(),
            bounded(level, _NAME_BYTES),
            bounded(source, _NAME_BYTES),
            bounded(message, self._most),
            self._last_n,
        )
        self._keep(line)

    def _write(self, source: str, text: str) -> None:
        if self._heir is not None:
            self._heir.write(self._as_late(source), self._masked(text))
            return
        stream = self._streams.get(source)
        if stream is None:
            stream = self._open_stream(source)
        if source in self._moving or moves_up(text):
            self._write_moving(source, stream, text)
            return
        if messages := stream.buffer.feed(text):
            self._finish_all(stream, messages)
        if stream.buffer.rest:
            self._grow(stream, text)
        elif source not in _LEVELS:
            del self._streams[source]

    def _write_moving(self, source: str, stream: LineStream, text: str) -> None:
        """Add a piece of a stream whose lines change in turn."""
        moving = self._moving.pop(source, None) or MovingLines(stream)
        if not draws(text):
            moving = self._settle(source, moving)
            text = text.removeprefix("\n")  # which ends the line that is finished now
        for step in steps(text):
            line = moving.current
            if step == "\n" and not moving.is_at_end:
                moving.go_down()
            elif step == "\n":
                self._finish_all(line, line.buffer.feed(step))
                moving = self._settle(source, moving)
            elif moves_up(step):
                moving.go_up(step, lambda: self._new_stream(source))
            else:
                self._finish_all(line, line.buffer.feed(step))
                self._grow(line, step)
        self._streams[source] = moving.current
        if len(moving.lines) > 1:
            self._moving[source] = moving

    def _settle(self, source: str, moving: MovingLines) -> MovingLines:
        """Finish lines that change in turn; return what follows them."""
        for line in moving.lines:
            self._finish_rest(line)
        return MovingLines(self._new_stream(source))

    def skip(self, source: str, ends: int) -> None:
        """Count lines of a stream that are left out, by their ends; the unfinished one is cut."""
        with self._adding:
            if self._heir is not None:
                return
            stream = self._streams.get(source)
            if stream is not None and (rest := stream.buffer.finish()):
                self._finish(stream, *rest)
                ends -= 1
            self._last_n += ends

    def flush(self) -> None:
        """Send what has gathered and is due."""
        with self._sending:
            self._send_gathered(is_last=False)

    def _as_late(self, source: str) -> str:
        """Return what stands for a source of this log in that of its heir."""
        return source

    @abstractmethod
    def _send(self, lines: list[LogLine]) -> None:
        """Send lines."""

    def _open_stream(self, source: str) -> LineStream:
        stream = self._streams[source] = self._new_stream(source)
        return stream

    def _new_stream(self, source: str) -> LineStream:
        level = _LEVELS[source.partition(" ")[0]]
        return LineStream(bounded(source, _NAME_BYTES), level, self._most)

    def _unfinished(self) -> Collection[LineStream]:
        """Return all lines that may be unfinished."""
        lines = tuple(self._streams.values())
        if self._moving:
            parked = (line for moving in tuple(self._moving.values()) for line in moving.lines)
            return dict.fromkeys((*parked, *lines))
        return lines

    def _finish(self, stream: LineStream, message: str) -> None:
        self._keep(self._line(stream, message, is_open=False))
        stream.n = 0
        stream.is_sent = True

    def _finish_all(self, stream: LineStream, messages: list[str]) -> None:
        """Finish lines; of very many, not those in the middle, which would fall out at once."""
        if len(messages) <= _MANY:
            for message in messages:
                self._finish(stream, message)
            return
        self._finish(stream, messages.pop(0))  # which has its number already if it was begun
        surplus = self._kept_lines().surplus(len(messages))
        for message in messages[: surplus.start]:
            self._finish(stream, message)
        self._last_n += surplus.stop - surplus.start
        for message in messages[surplus.stop :]:
            self._finish(stream, message)

    def _line(self, stream: LineStream, message: str, *, is_open: bool) -> LogLine:
        """Return the line of a stream that is not finished yet, or is now; it gets its number."""
        if not stream.n:
            self._last_n = stream.n = self._last_n + 1
        if self._is_masked:
            message = self._masked(message, is_open=is_open)
        text = bounded(message, self._most)
        return LogLine(_now(), stream.level, stream.source, text, stream.n, is_open)

    def _grow(self, stream: LineStream, text: str) -> None:
        """Note that `text` is the latest of the unfinished line of a stream."""
        is_added = "\r" not in stream.buffer.rest and "\n" not in text
        if stream.n and is_added and not self._is_masked:
            stream.is_sent = False
            more = text if text.isascii() else bounded(text, self._most)
            self._note((self.owner, None, (stream.n, more)))
        elif message := stream.buffer.unfinished:
            stream.is_sent = False
            self._note((self.owner, self._line(stream, message, is_open=True)))

    def _keep(self, line: LogLine) -> None:
        self._kept_lines().add(line)
        self._note((self.owner, line))

    def _kept_lines(self) -> KeptLines:
        if self._kept is None:
            self._kept = KeptLines(self._outlet.limits)
        return self._kept

    def _note(self, said: Said) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._outlet.words.begin(self.owner)
        self._outlet.words.note(said)

    @property
    def _is_masked(self) -> bool:
        return self._own_mask is not None or self._secrets.mask is not None

    def _masked(self, text: str, *, is_open: bool = False) -> str:
        """Return text without the sensitive arguments of its call, and of those that run beside."""
        for mask in (self._own_mask, self._secrets.mask):
            if mask is not None:
                text = mask.unfinished(text) if is_open else mask(text)
        return text

    def forget(self, mask: Mask) -> None:
        """Leave out of unfinished lines what will be known no longer."""
        with self._adding:
            for stream in self._unfinished():
                stream.buffer.rest = mask(stream.buffer.rest)

    def _finish_streams(self) -> None:
        for stream in self._unfinished():
            self._finish_rest(stream)

    def _finish_rest(self, stream: LineStream) -> None:
        for message in stream.buffer.finish():
            self._finish(stream, message)

    def _send_gathered(self, *, is_last: bool) -> None:
        """Send what is due, or all; then its last words are as good as sent."""
        with self._adding:
            lines = self._take(_monotonic(), is_last=is_last)
        if not lines:
            return
        self._send(lines)
        with self._adding:
            if not self.has_news:
                self._outlet.words.end(self.owner)
                self._has_begun = False

    def _take(self, now: float, *, is_last: bool) -> list[LogLine]:
        lines = [] if self._kept is None else self._kept.take(now, is_last=is_last)
        if self._streams and now >= self._open_due:
            opened = [stream for stream in self._unfinished() if not stream.is_sent]
            for stream in opened:
                lines.append(self._line(stream, stream.buffer.unfinished, is_open=True))
                stream.is_sent = True
            if opened:
                self._open_due = now + _OPEN_PAUSE
        lines.sort(key=_number)
        return lines


def _number(line: LogLine) -> int:
    return line.n
