"""The lock file: one server to a database, and its sign of life."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Self

from pooldeck_server.domain.errors import StartupError


class LockHeldError(StartupError):
    """Another process holds the lock; `holder` is its process id, as far as it is known."""

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(
            f"another server (process {holder}) uses {path.parent}; "
            "stop it, or choose another data folder"
        )
        self.holder = holder


class Lock:
    """A file that is locked for as long as this process lives, with its process id inside.

    The kernel lets go of the lock when the process ends, however it ends, so a file that is left
    behind locks nobody out. The time of the file says when its last holder was alive: `touch` sets
    it, which costs no commit.
    """

    def __init__(self, path: Path, descriptor: int, last_touched: int | None) -> None:
        self.path = path
        self._descriptor = descriptor
        self.last_touched = last_touched
        """When the holder before this one was alive (microseconds since the epoch), if known."""

    @classmethod
    def acquire(cls, path: Path) -> Self:
        """Lock the file at `path`, which is made where it is missing.

        Raises:
            LockHeldError: If another process holds it.
            OSError: If the file cannot be written.
        """
        descriptor, found = _locked(path)
        return cls(path, descriptor, found.st_mtime_ns // 1000 if found.st_size else None)

    def touch(self, now: int) -> None:
        """Note that this process is alive at `now` (microseconds since the epoch).

        Raises:
            OSError: If the file system does not take it.
        """
        os.utime(self._descriptor, ns=(now * 1000, now * 1000))

    def keep(self) -> None:
        """Lock the file that is at the path by now: the one that was locked may be removed.

        Raises:
            LockHeldError: If another process has locked a new one meanwhile.
            OSError: If none can be made.
        """
        with suppress(FileNotFoundError):
            if os.path.samestat(self.path.stat(), os.fstat(self._descriptor)):
                return
        before = self._descriptor
        self._descriptor, _ = _locked(self.path)
        os.close(before)

    def release(self) -> None:
        """Let go of the lock. The file stays: removing it would race with the next server."""
        os.close(self._descriptor)


def _locked(path: Path) -> tuple[int, os.stat_result]:
    """Open a file, lock it, write this process's id into it; return it and what it was before."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found = os.fstat(descriptor)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        if found.st_size:
            _restore_times(descriptor, found)
    except BlockingIOError:
        holder = os.pread(descriptor, 32, 0).decode(errors="replace") or "unknown"
        os.close(descriptor)
        raise LockHeldError(path, holder) from None
    except OSError:
        os.close(descriptor)
        raise
    return descriptor, found


def _restore_times(descriptor: int, found: os.stat_result) -> None:
    """Give a file back the times that it had: a start that fails is no sign of life."""
    with suppress(PermissionError):  # who may write to a file but does not own it
        os.utime(descriptor, ns=(found.st_atime_ns, found.st_mtime_ns))
