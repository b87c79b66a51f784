"""The worker's output file, which has everything that is written to descriptors 1 and 2.

C code and child processes write there, past Python. The file is only a buffer: what appears in it
is moved into the log of the call that has made it, or into the worker's own where that is not
known.
"""

import codecs
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Final

from pooldeck.worker.descriptors import lift
from pooldeck.worker.logs.gathered_log import GatheredLog
from pooldeck.worker.logs.last_words import LastWords
from pooldeck.written import pieces

_MOST: Final = 1024 * 1024  # bytes that are moved at a time, and that the file may hold then
_FLOOD: Final = 64 * _MOST  # bytes that it may hold even while it is written to
_TAIL: Final = 64  # bytes, by which it is known whether what was moved is still there
_MOST_LEFT: Final = 64  # files that are kept open for processes that were left behind
_STREAMS: Final = (1, 2)

_Decoder = codecs.getincrementaldecoder("utf-8")


@dataclass(eq=False)
class _Part:
    """A file, how much of it has been moved, and where that goes."""

    file: int
    owner: GatheredLog | None = None
    is_used: Callable[[], bool] | None = None  # tells whether those it was left to still run
    taken: int = 0  # bytes that have been moved
    tail: bytes = b""  # the last ones of these
    decoder: codecs.IncrementalDecoder = field(default_factory=lambda: _Decoder("replace"))

    @property
    def size(self) -> int:
        return _size(self.file)

    def move(self) -> None:
        """Move what has appeared to the log that it belongs to."""
        size = self.size
        if self._was_emptied(size):
            self._take(0)
        if size == self.taken or self.owner is None:
            return
        for piece in pieces(self.file, self.taken, size, _MOST):
            if isinstance(piece, int):
                self.owner.skip("output", piece)
            else:
                self.owner.write("output", self.decoder.decode(piece))
        self._take(size)
        if size > _FLOOD or (size > _MOST and size == self.size):
            os.ftruncate(self.file, 0)
            self._take(0)

    def _was_emptied(self, size: int) -> bool:
        """Tell whether somebody has emptied it since, as `> /dev/stderr` does in a shell."""
        if size < self.taken:
            return True
        tail = self.tail
        return bool(tail) and os.pread(self.file, len(tail), self.taken - len(tail)) != tail

    def _take(self, size: int) -> None:
        self.taken = size
        self.tail = os.pread(self.file, min(_TAIL, size), max(0, size - _TAIL)) if size else b""


class OutputFile:
    """The file behind descriptors 1 and 2, empty at first.

    Child processes that outlive their call keep the file that they have, and a new one takes its
    place: they are not heard as the next call.
    """

    def __init__(self, path: str, words: LastWords) -> None:
        self._path = path
        self._words = words
        self._present = _Part(_opened(path))
        self._left: list[_Part] = []
        self._lock = Lock()
        self.redirect()

    def redirect(self) -> None:
        """Point descriptors 1 and 2 at the file, whatever a task has done to them."""
        for stream in _STREAMS:
            os.dup2(self._present.file, stream)

    def turn_to(self, owner: GatheredLog) -> None:
        """Move what has appeared, and let what appears from now on be another log's."""
        with self._lock:
            present = self._present
            if self._left or present.tail or _size(present.file) != present.taken:
                self._move()
                self._move_left()
                present = self._present
            present.owner = owner

    def leave_to(self, owner: GatheredLog, is_used: Callable[[], bool]) -> None:
        """Leave the file to processes that run on, with a log for what they write; take a new one.

        Where there can be no new one, on a full disk, they go on in the one that there is.

        Args:
            owner: The log of the call that has started them, closed by now, or of the worker.
            is_used: Tells whether any of them still runs.
        """
        with self._lock:
            self._move()
            try:
                new = _opened(self._path)
            except OSError:
                return
            left, self._present = self._present, _Part(new, self._present.owner)
            self._words.note_taken(0)
            left.owner, left.is_used = owner, is_used
            self._left.append(left)
            if len(self._left) > _MOST_LEFT:
                os.close(self._left.pop(0).file)
        self.redirect()

    def move(self) -> None:
        """Move what has appeared to the log that it belongs to."""
        with self._lock:
            self._move()
            self._move_left()

    def catch_up(self) -> None:
        """Move what has appeared before what Python is about to say, so that it stands first.

        Not while another thread does, or this one at an odd moment.
        """
        try:
            present = self._present
            if present.size != present.taken and self._lock.acquire(blocking=False):
                try:
                    self._move()
                finally:
                    self._lock.release()
        except OSError:  # a task has closed the file; whoever prints need not know
            return

    def _move(self) -> None:
        before = self._present.taken
        self._present.move()
        if self._present.taken != before:
            self._words.note_taken(self._present.taken)

    def _move_left(self) -> None:
        for left in tuple(self._left):
            is_used = left.is_used is not None and left.is_used()
            left.move()
            if not is_used:
                self._left.remove(left)
                os.close(left.file)

    def tail(self, most: int, begin: int = 0) -> str:
        """Return the last bytes of it as text: `most` at most, from the byte `begin` on."""
        start = max(begin, self.size - most)
        return os.pread(self._present.file, most, start).decode("utf-8", "replace")

    @property
    def size(self) -> int:
        return self._present.size


def _size(file: int) -> int:
    return os.lseek(file, 0, os.SEEK_END)


def _opened(path: str) -> int:
    """Return a descriptor of a new file at `path`; one that was there is somebody else's by now."""
    Path(path).unlink(missing_ok=True)
    return lift(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_EXCL, 0o600))
