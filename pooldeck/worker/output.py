"""The worker's output file, which has everything that is written to descriptors 1 and 2.

C code and child processes write there, past Python. The file is only a buffer: what appears in it
while a call runs alone in the process is moved into that call's log.
"""

import codecs
import os
from threading import Lock

from pooldeck.worker.descriptors import lift
from pooldeck.worker.task_log import TaskLog

_MOST = 1024 * 1024  # bytes that the file may hold
_CHUNK = 64 * 1024  # bytes read from it at a time
_STREAMS = (1, 2)


class OutputFile:
    """The file behind descriptors 1 and 2, empty at first."""

    def __init__(self, path: str) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
        self._file = lift(os.open(path, flags, 0o600))
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._lock = Lock()
        self.redirect()

    def redirect(self) -> None:
        """Point descriptors 1 and 2 at the file, whatever a task has done to them."""
        for stream in _STREAMS:
            os.dup2(self._file, stream)

    def move_to(self, log: TaskLog) -> None:
        with self._lock:
            if log.is_closed:
                return
            size = self._size()
            for start in range(0, size, _CHUNK):
                if log.is_full:
                    break
                data = os.pread(self._file, _CHUNK, start)
                log.write("output", self._decoder.decode(data))
            if size:
                os.ftruncate(self._file, 0)

    def clear(self) -> None:
        """Forget what the file holds: nothing runs that it could belong to."""
        with self._lock:
            if self._size():
                os.ftruncate(self._file, 0)

    def keep_small(self) -> None:
        if self._size() > _MOST:
            self.clear()

    def tail(self, most: int) -> str:
        start = max(0, self._size() - most)
        return os.pread(self._file, most, start).decode("utf-8", "replace")

    def _size(self) -> int:
        return os.lseek(self._file, 0, os.SEEK_END)


def drop_input() -> None:
    """Make standard input empty: a worker has no terminal."""
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    if empty != 0:
        os.close(empty)
