"""The last words of a worker: lines of logs that it had not sent yet when it died.

They lie in a file that the worker has mapped: what stands in it survives the process, however that
ends. It has two halves. When one is full, the other is emptied and goes on, so that the latest
words are those that are there; which were lost, the gap in the lines' numbers tells.

    "PDW1", a byte for the half that is written, three unused
    how much of the output file has been taken into logs, 8 bytes
    how long a half is, 4 bytes
    half 0: length (4 bytes), record, length, record ... 0
    half 1

Numbers are little-endian. A record is written before its length, so that whatever has a length is
whole. It is a line and whose it is, or what is added to an unfinished line that came before.
"""

import os
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from struct import Struct as Layout
from struct import error as LayoutError  # noqa: N812 - that is what it is
from typing import Final

import msgspec
from msgspec.structs import replace

from pooldeck.protocol import LogLine

HEADER: Final = Layout("<4sB3xQI")
MAGIC: Final = b"PDW1"
HALF_AT: Final = 4
TAKEN: Final = Layout("<Q")
TAKEN_AT: Final = 8
LENGTH: Final = Layout("<I")

Owner = tuple[str, int]
"""A task and the number of its attempt."""

OF_WORKER: Final[Owner] = ("", 0)
"""Stands for the worker itself, which has a log of its own."""


Addition = tuple[int, str]
"""The number of an unfinished line, and what is added to it."""


class Record(msgspec.Struct, frozen=True, array_like=True):
    """What was said, and whose it is."""

    owner: Owner
    line: LogLine | None
    addition: Addition | None = None


@dataclass
class WordsLeft:
    """What a worker left: the lines of each owner in order, and where its output goes on."""

    lines: dict[Owner, list[LogLine]] = field(default_factory=dict)
    taken: int = 0  # bytes of the output file that are in logs already


_decode = msgspec.msgpack.Decoder(Record).decode


def read(path: str | None) -> WordsLeft:
    """Return the last words in a file; none if there is no such file, or it is none of ours."""
    words = WordsLeft()
    with suppress(OSError, LayoutError):
        data = Path(path or os.devnull).read_bytes()
        magic, half, words.taken, size = HEADER.unpack_from(data)
        if magic == MAGIC:
            for one in (1 - half, half):
                for record in _records(data, HEADER.size + one * size, size):
                    _sort_in(words.lines.setdefault(record.owner, []), record)
    return words


def _records(data: bytes, start: int, size: int) -> Iterator[Record]:
    """Yield the records of a half; what follows one that is damaged is lost."""
    end = min(start + size, len(data))
    with suppress(msgspec.MsgspecError):
        while start + LENGTH.size <= end:
            (length,) = LENGTH.unpack_from(data, start)
            start += LENGTH.size
            if not length or start + length > end:
                return
            yield _decode(data[start : start + length])
            start += length


def _sort_in(lines: list[LogLine], record: Record) -> None:
    """Add what was said to the lines of its owner; of a line the latest state counts."""
    n = record.line.n if record.line is not None else (record.addition or (0, ""))[0]
    at = bisect_left(lines, n, key=_number)
    before = lines[at] if at < len(lines) and lines[at].n == n else None
    if record.line is not None:
        lines[at : at + (before is not None)] = [record.line]
    elif before is not None and record.addition is not None:
        lines[at] = replace(before, message=before.message + record.addition[1])


def _number(line: LogLine) -> int:
    return line.n
