"""The log of an attempt while a worker has it: what it says becomes records."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from pooldeck.protocol import LogLine
from pooldeck_server.domain.clock import span
from pooldeck_server.domain.tasks.kept_lines import Cut, KeptLines, LogBounds
from pooldeck_server.domain.tasks.log import ERRORS, LogCut, LogEntry


class LogNews(Struct, frozen=True):
    """What lines become: records to write, older ones to delete, and those that are finished."""

    entries: Sequence[LogEntry]
    cuts: Sequence[LogCut]
    finished: Sequence[LogLine]


@dataclass(eq=False)
class AttemptLog:
    """Numbers what has no number yet, and keeps the log within its bounds."""

    seq: int
    attempt: int
    bounds: LogBounds
    open: dict[int, LogLine] = field(init=False, default_factory=dict)  # unfinished lines
    _last: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._kept = KeptLines(self.bounds)

    def take(self, lines: Sequence[LogLine]) -> LogNews:
        """Return what becomes of lines: new ones, or unfinished ones that have grown."""
        known = set(self.open)
        entries = [self._entry(line) for line in lines]
        left_out = known - set(self.open) - {entry.n for entry in entries}
        cuts = [
            LogCut(self.seq, self.attempt, cut.first, cut.last, cut.takes_all)
            for cut in (*(Cut(n, n, takes_all=True) for n in left_out), *self._kept.cuts())
        ]
        return LogNews(entries, cuts, [line for line in lines if not line.is_open])

    def _entry(self, line: LogLine) -> LogEntry:
        n, message = line.n or self._last + 1, line.message
        self._last = max(self._last, n)
        if self.open:
            self._close(n, line.source)
        if line.is_open:
            self.open[n] = line
        else:
            size = len(message) if message.isascii() else len(message.encode())
            self._kept.add(n, size, is_error=line.level in ERRORS)
        at = span(line.at)
        return LogEntry(
            self.seq, self.attempt, n, at, line.level, line.source, message, line.is_open
        )

    def _close(self, n: int, source: str) -> None:
        """Note that the lines of a source up to a number are unfinished no longer.

        What such a line came to in the end was left out in a flood, if it does not come now.
        """
        for number in [each for each, line in self.open.items() if line.source == source]:
            if number <= n:
                del self.open[number]
