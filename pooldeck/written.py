"""What was written to a file by others, read as pieces of bounded size: both ends of a flood."""

import os
from collections.abc import Iterator
from typing import Final

_CHUNK: Final = 64 * 1024


def pieces(descriptor: int, start: int, end: int, most: int) -> Iterator[bytes | int]:
    """Yield what a file has from `start` to `end`, and what is left out of it.

    If it is more than `most` bytes, that is its two ends, and between them how many lines end in
    what is left out. The second end begins with a whole line.
    """
    if end - start <= most:
        yield from _chunks(descriptor, start, end)
        return
    tail = end - most // 2
    head = start + most // 2
    yield from _chunks(descriptor, start, head)
    skipped = sum(chunk.count(b"\n") for chunk in _chunks(descriptor, head, tail))
    first, *rest = _chunks(descriptor, tail, end)
    _, newline, first = first.partition(b"\n")
    yield skipped + len(newline)
    yield first
    yield from rest


def _chunks(descriptor: int, start: int, end: int) -> Iterator[bytes]:
    while start < end and (chunk := os.pread(descriptor, min(_CHUNK, end - start), start)):
        start += len(chunk)
        yield chunk
