"""Who uses the server of a data folder, and whether it runs: three files with locks.

A lock is let go of by the kernel however its holder ends. The server waits for the one that its
users hold; whoever comes later finds it held by the server then, which ends.

What a program forks inherits its locks. So it lets go of them at once: a pool of the user's that
outlives a killed program keeps no server alive.
"""

import fcntl
import os
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

FOLDER: Final = "beside"
"""Of the data folder: what a server and the programs beside it tell each other."""

_STARTING: Final = "starting.lock"  # held while somebody looks for the server, or starts it
_USERS: Final = "users.lock"  # shared by those who use it
_SERVER: Final = "server.lock"  # held by the server as long as it lives
_PAUSE: Final = 0.02  # seconds between two looks


class Attachment:
    """The locks of a data folder, which has to be there."""

    def __init__(self, data: Path) -> None:
        folder = data / FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        self._files = {name: _opened(folder / name) for name in (_STARTING, _USERS, _SERVER)}
        own = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _forget(own()))

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Be the only one who looks for the server, or starts it."""
        fcntl.flock(self._files[_STARTING], fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._files[_STARTING], fcntl.LOCK_UN)

    def attach(self) -> bool:
        """Use the server from now on, which lives as long; False if it is about to end."""
        return self._is_held(_USERS, fcntl.LOCK_SH)

    @property
    def is_served(self) -> bool:
        """Tell whether there is a server."""
        is_free = self._is_held(_SERVER, fcntl.LOCK_SH)
        if is_free:
            fcntl.flock(self._files[_SERVER], fcntl.LOCK_UN)
        return not is_free

    def wait_for_end(self, seconds: float) -> bool:
        """Return when there is no server any more; False if there is one after so many seconds."""
        until = time.monotonic() + seconds
        while self.is_served:
            if time.monotonic() >= until:
                return False
            time.sleep(_PAUSE)
        return True

    def serve(self, seconds: float) -> bool:
        """Be the server until this process ends; False if there is another for so many seconds."""
        until = time.monotonic() + seconds
        while not self._is_held(_SERVER, fcntl.LOCK_EX):
            if time.monotonic() >= until:
                return False
            time.sleep(_PAUSE)
        return True

    def wait_until_unused(self) -> None:
        """Return when nobody uses the server; nobody can from then on."""
        fcntl.flock(self._files[_USERS], fcntl.LOCK_EX)

    def close(self) -> None:
        """Let go of all locks."""
        while self._files:
            os.close(self._files.popitem()[1])

    def _is_held(self, name: str, how: int) -> bool:
        """Take a lock, alone or with others; tell whether that was possible."""
        try:
            fcntl.flock(self._files[name], how | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _forget(attachment: Attachment | None) -> None:
    if attachment is not None:
        attachment.close()
