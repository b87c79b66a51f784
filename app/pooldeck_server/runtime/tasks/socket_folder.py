"""The folder of a run's socket: in the temporary folder, since the path of a socket must be short.

A run that is killed leaves it behind. Whoever made it holds a lock in it for as long as it lives,
so the next start of any server of the same user knows which of them nobody uses any more.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from pooldeck_server.store.lock import Lock, LockHeldError

_PREFIX: Final = "pooldeck-"
_SOCKET: Final = "socket"
_OWNER: Final = "owner"  # the lock; empty until it is held
_LONGEST_PATH: Final = 103  # bytes: what macOS takes, where Linux takes four more
_SHORT: Final = Path("/tmp")  # noqa: S108 - what is made there is made for this user alone


class SocketFolder:
    """The folder of the run `boot`, which no other user may look into."""

    def __init__(self, boot: str) -> None:
        usual = Path(tempfile.gettempdir()) / f"{_PREFIX}{boot}"
        is_short = len(bytes(usual / _SOCKET)) <= _LONGEST_PATH
        self._path = usual if is_short else _SHORT / usual.name
        self._lock: Lock | None = None

    @property
    def socket(self) -> str:
        return str(self._path / _SOCKET)

    def make(self) -> None:
        """Make it, and hold its lock; raises `OSError` if that cannot be."""
        self._path.mkdir(mode=0o700)
        self._lock = Lock.acquire(self._path / _OWNER)

    def remove(self) -> None:
        shutil.rmtree(self._path, ignore_errors=True)
        if self._lock is not None:
            self._lock.release()


def remove_abandoned() -> None:
    """Remove the folders of this user's servers that are no more."""
    for folder in _own_folders():
        with suppress(LockHeldError, OSError):
            if (folder / _OWNER).stat().st_size:
                lock = Lock.acquire(folder / _OWNER)
                shutil.rmtree(folder, ignore_errors=True)
                lock.release()


def _own_folders() -> Iterator[Path]:
    for place in {Path(tempfile.gettempdir()), _SHORT}:
        with suppress(OSError), os.scandir(place) as entries:
            for entry in entries:
                if entry.name.startswith(_PREFIX) and _is_own(entry):
                    yield Path(entry.path)


def _is_own(entry: os.DirEntry[str]) -> bool:
    with suppress(FileNotFoundError):
        is_folder = entry.is_dir(follow_symlinks=False)
        return is_folder and entry.stat(follow_symlinks=False).st_uid == os.geteuid()
    return False
