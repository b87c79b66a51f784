"""A file of whole lines: appended to, moved aside when it is full, never torn.

The standard library's rotating handlers write through a buffer, which a full disk can leave with
half a line; and they either rotate or notice that the file was moved, not both. Here each batch is
one write, and what of it did not become whole lines is taken back.
"""

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

_MODE: Final = 0o640
_END: Final = b"\n"


@dataclass(eq=False)
class RotatingFile:
    """A file at a path, with older ones beside it as PATH.1 (the latest), PATH.2 and so on.

    Whoever moves the file away or truncates it need not say so.

    Raises:
        OSError: If it cannot be opened, or is no regular file.
    """

    path: Path  # missing folders are made
    max_bytes: int  # it is moved aside before it gets larger
    keep: int  # how many of those that were moved aside stay
    lines: int = field(init=False, default=0)  # that it has taken
    _file: int = field(init=False, default=-1)

    def __post_init__(self) -> None:
        self._open()

    @property
    def size_bytes(self) -> int:
        """Return how large it is, without those that were moved aside; 0 where it is gone."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def append(self, lines: Sequence[bytes]) -> None:
        """Append lines, each with the only newline at its end.

        Raises:
            OSError: If not all could be written; `lines` says how many were, and they are whole.
        """
        self._reopen_if_moved()
        size = os.fstat(self._file).st_size
        fitting: list[bytes] = []
        for line in lines:
            if size + len(line) > self.max_bytes and size > 0:
                self._write(fitting)
                self._rotate()
                fitting, size = [], 0
            fitting.append(line)
            size += len(line)
        self._write(fitting)

    def _write(self, lines: Sequence[bytes]) -> None:
        data = b"".join(lines)
        start = os.fstat(self._file).st_size
        written = 0
        try:
            while written < len(data):
                written += os.write(self._file, data[written:])
        finally:
            whole = data.rfind(_END, 0, written) + 1
            if whole < written:
                with suppress(OSError):
                    os.ftruncate(self._file, start + whole)
            self.lines += data.count(_END, 0, whole)

    def _reopen_if_moved(self) -> None:
        """Open it again if the path leads elsewhere by now, as after a logrotate."""
        try:
            at_path = self.path.stat()
        except FileNotFoundError:
            is_here = False
        else:
            is_here = self._file >= 0 and os.path.samestat(at_path, os.fstat(self._file))
        if not is_here:
            self._open()

    def _open(self) -> None:
        self.close()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK
        self._file = os.open(self.path, flags, _MODE)
        if not stat.S_ISREG(os.fstat(self._file).st_mode):
            self.close()
            raise OSError(f"{self.path} is no regular file")
        self._end_last_line()

    def _end_last_line(self) -> None:
        """End a line that a server was cut off in."""
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != _END:
            os.write(self._file, _END)

    def _rotate(self) -> None:
        """Move every file one further, and remove those that are too many."""
        for number in range(self.keep, 0, -1):
            with suppress(FileNotFoundError):
                self._aside(number - 1).replace(self._aside(number))
        if self.keep == 0:
            self.path.unlink(missing_ok=True)
        for number in count(self.keep + 1):
            if not self._aside(number).exists():
                break
            self._aside(number).unlink()
        self._open()

    def _aside(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}") if number else self.path
