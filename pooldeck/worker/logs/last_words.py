"""Keeps what was said and not yet sent where it survives the process: see `pooldeck.last_words`."""

import mmap
import os
from contextlib import suppress
from threading import RLock
from typing import Final

import msgspec

from pooldeck.last_words import (
    HALF_AT,
    HEADER,
    LENGTH,
    MAGIC,
    TAKEN,
    TAKEN_AT,
    Addition,
    Owner,
)
from pooldeck.protocol import LogLine

_HALF: Final = 512 * 1024
_ROOM: Final = 4096  # for what a record has beside its message
_END: Final = bytes(LENGTH.size)
Said = tuple[Owner, LogLine] | tuple[Owner, None, Addition]
"""A record: a line, instead of what was said of it before, or what is added to it."""

_encode = msgspec.msgpack.Encoder().encode
_put_length = LENGTH.pack_into


class LastWords:
    """The file of a worker's last words. Without a path, or room on the disk, nothing is kept.

    Args:
        path: Where it is to be.
        message_bytes: How long a message can be.
        until_committed: Whether what was sent stays until it is on record.
    """

    def __init__(
        self, path: str | None, message_bytes: int, *, until_committed: bool = False
    ) -> None:
        self._until_committed = until_committed
        self._half = max(_HALF, message_bytes + _ROOM)
        self._map = _mapped(path, HEADER.size + 2 * self._half)
        self._lock = RLock()  # a __del__ may print while its own thread prints
        self._speakers: set[Owner] = set()  # who have words here that are not sent yet
        self._current = 0
        self._at = self._end = 0
        if self._map is not None:
            HEADER.pack_into(self._map, 0, MAGIC, 0, 0, self._half)
            self._turn_to(0)
            os.register_at_fork(after_in_child=self._detach)

    def note(self, said: Said) -> None:
        """Keep what was said, until all that the worker says has been sent."""
        record = _encode(said)
        with self._lock:
            if self._map is None:
                return
            if self._at + len(record) + 2 * LENGTH.size > self._end:
                self._turn_to(1 - self._current)
            begin = self._at + LENGTH.size
            end = begin + len(record)
            self._map[begin : end + LENGTH.size] = record + _END
            _put_length(self._map, self._at, len(record))
            self._at = end

    def begin(self, owner: Owner) -> None:
        """Note that this one has words that are not sent yet."""
        with self._lock:
            self._speakers.add(owner)

    def end(self, owner: Owner) -> None:
        """Note that all is sent that this one has said; called while it says nothing."""
        with self._lock:
            self._speakers.discard(owner)
            if not self._until_committed:
                self._clear()

    def commit(self) -> None:
        """Note that all is on record that those have said who have ended."""
        with self._lock:
            self._clear()

    def _clear(self) -> None:
        if not self._speakers and self._map is not None:
            for half in (1 - self._current, self._current):
                self._turn_to(half)

    def note_taken(self, size: int) -> None:
        """Note how many bytes of the output file are in logs."""
        if self._map is not None:
            TAKEN.pack_into(self._map, TAKEN_AT, size)

    def _turn_to(self, half: int) -> None:
        """Empty a half and go on in it."""
        assert self._map is not None  # noqa: S101 - only called where there is one
        start = HEADER.size + half * self._half
        self._map[start : start + LENGTH.size] = _END
        self._map[HALF_AT] = self._current = half
        self._at, self._end = start, start + self._half

    def _detach(self) -> None:
        """Leave the file to the worker: this is a forked child of it."""
        self._map = None


def _mapped(path: str | None, size: int) -> mmap.mmap | None:
    if path is None:
        return None
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            _reserve(descriptor, size)
            return mmap.mmap(descriptor, size)
        finally:
            os.close(descriptor)
    return None


def _reserve(descriptor: int, size: int) -> None:
    """Make room for the file: to write past the end of a full disk would be a bus error."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.ftruncate(descriptor, size)
