"""What travels between a program and its workers: pickles in an envelope.

The pool and the pipe see bytes. Only the two ends open them: the worker a call, the program what
became of it. What is too large for a frame of the pipe travels in a file, of which the frame
carries the path.
"""

import os
import tempfile
from collections.abc import Callable
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

_LARGEST_FRAME: Final = 256 * 1024  # measured: from here on the way through a file is faster


class Value(Struct, frozen=True, array_like=True, tag="value"):
    """A call, or what it returned."""

    pickled: bytes


class Raised(Struct, frozen=True, array_like=True, tag="raised"):
    """What a call raised. The traceback is text, as the worker would have printed it."""

    pickled: bytes
    traceback: str


class Unreadable(Struct, frozen=True, array_like=True, tag="unreadable"):
    """The call could not be unpickled in the worker: the function was not even looked at."""

    message: str
    traceback: str


class _Stored(Struct, frozen=True, array_like=True, tag="stored"):
    path: str


Parcel = Value | Raised | Unreadable

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final[Callable[[bytes], Parcel | _Stored]] = msgspec.msgpack.Decoder(
    Parcel | _Stored
).decode


def pickled(value: Any) -> bytes:
    """Pickle a value as the standard library's process pool does."""
    return bytes(ForkingPickler.dumps(value))


def sealed(parcel: Parcel, folder: Path) -> bytes:
    """Return a parcel as bytes for a frame, by way of a file in `folder` if it is too large."""
    data = _encode(parcel)
    if len(data) <= _LARGEST_FRAME:
        return data
    descriptor, path = tempfile.mkstemp(dir=folder)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    return _encode(_Stored(path))


def opened(data: bytes) -> Parcel:
    """Return the parcel behind the bytes of a frame; its file, if it has one, is removed."""
    parcel = _decode(data)
    if isinstance(parcel, _Stored):
        path = Path(parcel.path)
        stored = _decode(path.read_bytes())
        path.unlink()
        assert not isinstance(stored, _Stored)  # noqa: S101 - `sealed` packs once
        return stored
    return parcel


def discard(data: bytes) -> None:
    """Remove the file, if there is one, of a parcel that nobody will open."""
    parcel = _decode(data)
    if isinstance(parcel, _Stored):
        Path(parcel.path).unlink(missing_ok=True)
