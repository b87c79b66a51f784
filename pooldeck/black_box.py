"""The black box of a worker: which calls have begun in it, and which have ended, and how.

It is a file that the worker has mapped, so that what stands in it survives the process, however
that ends, and the end of the server, too; not the end of the machine. That a call begins is written
before it begins, and its end before it is sent. So a call that is not in a whole box has not begun.

    "PDB1", the mark of the server's run (16 bytes), how long a half is (4), process id (4)
    region 0: is it incomplete (1 byte), 7 unused, half 0, half 1
    region 1 …

Each slot has a region to itself, and in it one half after the other. A half has records, each the
length and the CRC-32 of its payload (4 bytes each, little-endian) and the payload; a length of 0
follows the last one. The head of a record is written when its payload stands there.

    payload of a begin:  "B" and msgpack: task, attempt, moment, thread
    payload of an end:   "E" and the `Finished` frame as the server would have got it
    … that is too long:  "F" and msgpack: how it ended, and how long that was
"""

import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from struct import Struct as Layout
from typing import Final

import msgspec
from msgspec import Struct

from pooldeck.protocol import Finished, ProtocolError, from_worker

HEADER: Final = Layout("<4s16sII")
MAGIC: Final = b"PDB1"
REGION_HEADER: Final = 8
RECORD: Final = Layout("<II")
ALIGNMENT: Final = 64 * 1024
"""Where the first region begins, and what the size of one is a multiple of: pages of any size."""

BEGIN: Final = b"B"
END: Final = b"E"
LONG_END: Final = b"F"
MARK_BYTES: Final = 16


class Begun(Struct, frozen=True, array_like=True):
    """That a call began: `at` is a moment of the monotonic clock, `thread` the number of a slot."""

    task: str
    attempt: int
    at: float
    thread: int | None


class LongEnd(Struct, frozen=True, array_like=True):
    """How a call ended whose outcome is too long for a box: `what` is "result" or an error's type.

    `size` is the outcome's, in bytes.
    """

    what: str
    size: int


class BoxedCall(Struct, frozen=True):
    """What a box has of a call; no `end`: it was cut off."""

    begun: Begun
    worker: str
    pid: int
    end: Finished | LongEnd | None = None


Calls = Mapping[tuple[str, int], BoxedCall]
"""By task and attempt."""


class Box(Struct, frozen=True):
    """What a worker's box has; not `is_whole`: it may have had more."""

    calls: Calls
    is_whole: bool


_decode_begun = msgspec.msgpack.Decoder(Begun).decode
_decode_long = msgspec.msgpack.Decoder(LongEnd).decode


class DamagedError(Exception):
    """What stands there is no box of this run, or is no longer as its worker wrote it."""


def read(path: Path, worker: str, mark: bytes) -> Box:
    """Return what stands in the box of a worker that is gone.

    Args:
        path: The file.
        worker: The id of the worker.
        mark: That of the run that it is to belong to.

    Raises:
        DamagedError: If the file is not there, not whole, or of another run.
    """
    try:
        if not path.is_file():  # a pipe would be waited for
            raise DamagedError(f"{path.name} is missing")
        data = path.read_bytes()
    except OSError as error:
        raise DamagedError(f"{path.name}: {error.strerror}") from error
    if len(data) < ALIGNMENT:
        raise DamagedError(f"{path.name} is cut")
    magic, found, half, pid = HEADER.unpack_from(data)
    if magic != MAGIC or found != mark:
        raise DamagedError(f"{path.name} is of another run")
    size = region_size(half)
    if (len(data) - ALIGNMENT) % size:
        raise DamagedError(f"{path.name} is cut")
    calls: dict[tuple[str, int], BoxedCall] = {}
    is_whole = True
    for start in range(ALIGNMENT, len(data), size):
        is_whole &= not data[start]
        for at in (start + REGION_HEADER, start + REGION_HEADER + half):
            for call in _calls(memoryview(data)[at : at + half], worker, pid):
                calls[call.begun.task, call.begun.attempt] = call
    return Box(calls, is_whole)


def region_size(half: int) -> int:
    """Return how many bytes a region takes whose halves have so many."""
    return -(-(REGION_HEADER + 2 * half) // ALIGNMENT) * ALIGNMENT


def _calls(half: memoryview, worker: str, pid: int) -> Iterator[BoxedCall]:
    """Yield the calls of a half, each with its end if that follows it."""
    begun: Begun | None = None
    try:
        for kind, payload in _records(half):
            if kind == BEGIN:
                if begun is not None:
                    yield BoxedCall(begun, worker, pid)
                begun = _decode_begun(payload)
            elif begun is not None:
                end = from_worker(bytes(payload)) if kind == END else _decode_long(payload)
                if not isinstance(end, Finished | LongEnd):
                    raise DamagedError("it has an end that is none")
                yield BoxedCall(begun, worker, pid, end)
                begun = None
    except (msgspec.MsgspecError, ProtocolError) as error:
        raise DamagedError(f"the box of {worker} cannot be read: {error}") from error
    if begun is not None:
        yield BoxedCall(begun, worker, pid)


def _records(half: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    at = 0
    while at + RECORD.size <= len(half):
        length, checksum = RECORD.unpack_from(half, at)
        if not length:
            return
        payload = half[at + RECORD.size : at + RECORD.size + length]
        if len(payload) < length or zlib.crc32(payload) != checksum:
            raise DamagedError("it has a record that is torn")
        yield bytes(payload[:1]), payload[1:]
        at += RECORD.size + length


class Manifest:
    """The list of the boxes of a run, beside them: what is missing would else not be missed.

    A line says that a worker is ready, and so has a box, or that it is gone, and its box with it.
    """

    NAME: Final = "boxes"

    def __init__(self, folder: Path) -> None:
        self._path = folder / self.NAME

    def ready(self, worker: str) -> None:
        """Say that a worker has a box."""
        self._add(f"ready {worker}")

    def gone(self, worker: str) -> None:
        """Say that a worker has none any more."""
        self._add(f"gone {worker}")

    def _add(self, line: str) -> None:
        """Add a whole line; where there is no room for it, let there be no list: nothing counts."""
        data = f"{line}\n".encode()
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            try:
                is_whole = os.write(descriptor, data) == len(data)
            finally:
                os.close(descriptor)
        except OSError:
            is_whole = False
        if not is_whole:
            with suppress(OSError):
                self._path.unlink()

    def begin(self, head: str) -> None:
        """Begin the list of a run with a line of the server's."""
        self._path.touch(mode=0o600)
        self._path.write_text(f"{head}\n")

    def head(self) -> str:
        """Return the first line.

        Raises:
            OSError: If there is no list.
            ValueError: If it is no text.
        """
        return self._lines()[0]

    def workers(self) -> set[str]:
        """Return the workers that have boxes, as far as the list says.

        Raises:
            OSError: If there is no list.
            ValueError: If it is no text.
        """
        here = set[str]()
        for line in self._lines()[1:]:
            what, _, worker = line.partition(" ")
            if what == "ready":
                here.add(worker)
            else:
                here.discard(worker)
        return here

    def _lines(self) -> list[str]:
        if not self._path.is_file():  # a pipe would be waited for
            raise FileNotFoundError(self._path)
        return self._path.read_text().splitlines() or [""]
