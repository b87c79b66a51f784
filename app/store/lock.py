"""The lock file: one server to a database."""

import fcntl
import os
from pathlib import Path
from typing import Self

from app.domain.errors import StartupError


class Lock:
    """A file that is locked for as long as this process lives, with its process id inside.

    The kernel lets go of the lock when the process ends, however it ends, so a file that is left
    behind locks nobody out.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def acquire(cls, path: Path) -> Self:
        """Lock the file at `path`, which is made where it is missing.

        Raises:
            StartupError: If another process holds it.
            OSError: If the file cannot be written.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace") or "unknown"
            os.close(descriptor)
            raise StartupError(
                f"another server (process {holder}) uses {path.parent}; "
                "stop it, or choose another data folder"
            ) from None
        except OSError:
            os.close(descriptor)
            raise
        return cls(descriptor)

    def release(self) -> None:
        """Let go of the lock. The file stays: removing it would race with the next server."""
        os.close(self._descriptor)
