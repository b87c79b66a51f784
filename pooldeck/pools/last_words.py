"""What a worker that is gone has said last, and has not sent any more."""

import codecs
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from pooldeck.last_words import OF_WORKER, Owner, read
from pooldeck.masking import Mask
from pooldeck.pools.worker import Heard, Running, Worker
from pooldeck.protocol import Limits, LogLine, Setup
from pooldeck.text import LineBuffer, bounded
from pooldeck.written import pieces

_OUTPUT: Final = "output"


class Said(Struct, frozen=True):
    """What is left of a log: lines that have not arrived. No `task`: it is the worker's own."""

    task: str | None
    lines: list[LogLine]


def last_words(worker: Worker) -> list[Said]:
    """Return what a worker that is gone has said and not sent, of the calls that it had.

    Abandoned ones have no log any more, but may have written what is in the output file.
    """
    speakers = [one for one in worker.at_risk if not one.is_abandoned]
    logs = {_owner(one): one.heard for one in speakers} | {OF_WORKER: worker.heard}
    writer = _owner(speakers[0]) if speakers and len(worker.at_risk) == 1 else OF_WORKER
    found = _unsent(worker.process.setup, logs, writer)
    mask = worker.mask
    if mask is not None:  # nobody has masked what is left in the files
        found = {owner: list(map(partial(_masked, mask), lines)) for owner, lines in found.items()}
    return [Said(owner[0] or None, lines) for owner, lines in found.items() if lines]


def _masked(mask: Mask, line: LogLine) -> LogLine:
    return replace(line, message=mask(line.message))


def _owner(running: Running) -> Owner:
    return running.call.task, running.call.attempt


def _unsent(setup: Setup, logs: Mapping[Owner, Heard], writer: Owner) -> dict[Owner, list[LogLine]]:
    words = read(setup.words_path)
    found: dict[Owner, list[LogLine]] = {}
    for owner, heard in logs.items():
        unsent = {line.n: line for line in words.lines.get(owner, ()) if heard.lacks(line)}
        lines = heard.unfinished | unsent  # what was unfinished is so no more
        if owner == writer:
            output = _Output(lines, heard.last, setup.limits)
            output.read(setup.output_path, words.taken)
            lines |= {line.n: line for line in output.lines}
        found[owner] = [replace(lines[n], is_open=False) for n in sorted(lines)]
    return found


class _Output:
    """Lines out of what is left in the output file, the first of which may have begun before."""

    def __init__(self, known: Mapping[int, LogLine], last: int, limits: Limits) -> None:
        opened = (one for one in known.values() if one.is_open and one.source == _OUTPUT)
        begun = next(opened, None)
        self.lines: list[LogLine] = []
        self._begun_n = 0 if begun is None else begun.n
        self._last = max(last, *known, 0)
        self._limits = limits
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._buffer = LineBuffer(limits.message_bytes)
        if begun is not None:
            self._buffer.feed(begun.message)

    def read(self, path: str | None, start: int) -> None:
        """Read a file from the byte `start` on."""
        if path is None:
            return
        with suppress(OSError), Path(path).open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            for piece in pieces(file.fileno(), start, end, self._limits.log_bytes):
                if isinstance(piece, int):
                    self._skip(piece)
                else:
                    self._add(self._buffer.feed(self._decoder.decode(piece)))
        self._add(self._buffer.finish())

    def _skip(self, ends: int) -> None:
        """Count lines that are left out, by their ends; the unfinished one is cut."""
        cut = self._buffer.finish()
        self._add(cut)
        self._last += ends - len(cut)

    def _add(self, messages: list[str]) -> None:
        for message in messages:
            text = bounded(message, self._limits.message_bytes)
            self.lines.append(LogLine(time.time(), "INFO", _OUTPUT, text, self._next()))

    def _next(self) -> int:
        if self._begun_n:
            n, self._begun_n = self._begun_n, 0
            return n
        self._last += 1
        return self._last
