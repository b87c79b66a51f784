"""Writes a worker's black box: see `pooldeck.black_box`."""

import mmap
import os
import zlib
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Final

import msgspec

from pooldeck.black_box import (
    ALIGNMENT,
    BEGIN,
    END,
    HEADER,
    LONG_END,
    MAGIC,
    RECORD,
    REGION_HEADER,
    Begun,
    LongEnd,
    region_size,
)
from pooldeck.outcome import Outcome

_ALONE_HALF: Final = 240 * 1024  # of the only slot of a process worker
_SHARED_HALF: Final = 28 * 1024  # of one slot of many
_LARGEST: Final = 4  # of what fits into a half, the largest end is the fourth part
_HEAD: Final = RECORD.size
_ROOM: Final = 1024  # for a begin, and an end that is too long to be kept
_LONGEST_TYPE: Final = 200  # characters of the name of an error's type

_encode = msgspec.msgpack.Encoder().encode
_put_head = RECORD.pack_into
_crc = zlib.crc32


class Region:
    """The part of a box that one slot writes. Without memory nothing is kept.

    It goes on in the other half when one is full. What stands there must be committed by then; if
    it is not, something is lost, which is noted until nothing is needed any more.
    """

    def __init__(self, memory: mmap.mmap | None, half: int) -> None:
        self._memory = memory
        self._half = half
        self._current = 0
        self._at = self._start(0)
        self._limit = self._at + half  # of the current half
        self._other_end = 0  # how far the other half is used
        self._last = [0, 0]  # the number of the last end in each half
        self._committed = 0
        self._is_open = False
        self._lock = Lock()

    def begin(self, begun: Begun) -> None:
        """Note that a call begins. When this returns, it is noted."""
        with self._lock:
            memory = self._memory
            if memory is None:
                return
            if self._at + _ROOM > self._limit:
                self._turn(memory)
            self._is_open = True
            self._write(memory, BEGIN + _encode(begun))

    def end(self, number: int, body: bytes, outcome: Outcome) -> None:
        """Note how the call ended: as the frame `body`, which is the worker's end `number`."""
        with self._lock:
            memory, size = self._memory, len(body)
            if memory is None:
                return
            if size > self._limit - self._at - 2 * _HEAD - 1 or size > self._half // _LARGEST:
                self._write(memory, LONG_END + _encode(_in_short(outcome, size)))
            else:
                self._write(memory, END + body)
            self._last[self._current] = number
            self._is_open = False

    def commit(self, number: int) -> None:
        """Forget what is not needed any more: the worker's ends up to `number` are committed."""
        with self._lock:
            self._committed = number
            memory = self._memory
            if memory is None or self._is_open or max(self._last) > number:
                return
            self._clear(memory, self._current, self._at)
            self._clear(memory, 1 - self._current, self._other_end)
            self._other_end = 0
            memory[0] = 0
            self._go_on_in(0)

    def detach(self) -> None:
        """Leave the box to the worker: this is a forked child of it."""
        self._memory = None

    def _write(self, memory: mmap.mmap, payload: bytes) -> None:
        at, size = self._at, len(payload)
        begin = at + _HEAD
        end = begin + size
        memory[begin:end] = payload  # and nothing follows it: so has a half been left
        _put_head(memory, at, size, _crc(payload))
        self._at = end

    def _turn(self, memory: mmap.mmap) -> None:
        """Go on in the other half."""
        other = 1 - self._current
        if self._last[other] > self._committed:
            memory[0] = 1
        self._clear(memory, other, self._other_end)
        self._other_end = self._at
        self._go_on_in(other)

    def _go_on_in(self, half: int) -> None:
        self._current, self._at = half, self._start(half)
        self._limit = self._at + self._half

    def _clear(self, memory: mmap.mmap, half: int, end: int) -> None:
        """Let nothing of a half be left, which is used up to `end`: results are not for all."""
        start = self._start(half)
        if end > start:
            memory[start : end + _HEAD] = bytes(end + _HEAD - start)
        self._last[half] = 0

    def _start(self, half: int) -> int:
        return REGION_HEADER + half * self._half


def _in_short(outcome: Outcome, size: int) -> LongEnd:
    what = "result" if outcome.error is None else outcome.error.type[:_LONGEST_TYPE]
    return LongEnd(what, size)


class BlackBox:
    """The file of a worker. Without a path, or room on the disk, nothing is kept.

    Args:
        path: Where it is to be.
        mark: That of the server's run.
        is_alone: Whether the worker has one slot.
    """

    def __init__(self, path: str | None, mark: bytes, *, is_alone: bool) -> None:
        self._half = _ALONE_HALF if is_alone else _SHARED_HALF
        self._path = path
        self._size = 0
        self._regions: list[Region] = []
        if path is not None:
            self._make(path, mark)
            os.register_at_fork(after_in_child=self._detach)

    def _make(self, path: str, mark: bytes) -> None:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                _reserve(descriptor, 0, ALIGNMENT)
                os.write(descriptor, HEADER.pack(MAGIC, mark, self._half, os.getpid()))
            finally:
                os.close(descriptor)
            self._size = ALIGNMENT
        except OSError:
            self._give_up(path)

    def region(self) -> Region:
        """Return a region for one more slot."""
        region = Region(self._mapped(), self._half)
        self._regions.append(region)
        return region

    def commit(self, number: int) -> None:
        """Forget what is not needed any more: the ends up to `number` are committed."""
        for region in self._regions:
            region.commit(number)

    def _mapped(self) -> mmap.mmap | None:
        if self._path is None:
            return None
        size = region_size(self._half)
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
            try:
                _reserve(descriptor, self._size, size)
                memory = mmap.mmap(descriptor, size, offset=self._size)
            finally:
                os.close(descriptor)
        except OSError:
            self._give_up(self._path)
            return None
        self._size += size
        return memory

    def _give_up(self, path: str) -> None:
        """Leave no box where there can be no whole one: a missing one is noticed."""
        self._path = None
        for region in self._regions:
            region.detach()
        with suppress(OSError):
            Path(path).unlink()

    def _detach(self) -> None:
        self._path = None
        for region in self._regions:
            region.detach()


def _reserve(descriptor: int, start: int, size: int) -> None:
    """Make room in the file: to write past the end of a full disk would be a bus error."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, start, size)
    else:
        os.ftruncate(descriptor, start + size)
