"""What a server on loopback writes for its own user: files by which programs get in.

  DATA/authorization             the header, for `curl -H @pooldeck-data/authorization URL`
  RUNTIME/pooldeck/PORT.json     the address too, where clients look for it

Both are for this user alone, hold a token of this run, and go with it.
"""

import logging
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from pooldeck.client.places import LocalServer, read_local, runtime_folders

HEADER_FILE: Final = "authorization"
_MODE: Final = 0o600
_FOLDER_MODE: Final = 0o700
_RANDOM_BYTES: Final = 6
_log = logging.getLogger(__name__)


@dataclass(eq=False)
class OwnFiles:
    """Writes them, and removes what it has written; it never fails the server."""

    server: LocalServer
    _written: list[tuple[Path, bytes]] = field(init=False, default_factory=list)

    def write(self) -> None:
        """Write both; what cannot be written is said in the log, and what it costs."""
        header = f"Authorization: Bearer {self.server.token}\n".encode()
        self._write(Path(self.server.data) / HEADER_FILE, header)
        place = _place()
        if place is not None and self._is_made(place):
            _remove_stale(place)
            port = urlsplit(self.server.url).port
            self._write(place / f"{port}.json", msgspec.json.encode(self.server))

    def remove(self) -> None:
        """Remove what was written, unless another server has written its own there."""
        for path, content in self._written:
            try:
                if path.read_bytes() == content:
                    path.unlink()
            except OSError as error:
                _log.debug("%s is not there to be removed: %s", path, error.strerror)

    def _is_made(self, folder: Path) -> bool:
        """Tell whether there is a folder that nobody else may look into."""
        try:
            _make_private(folder)
        except OSError as error:
            _say(folder, error)
            return False
        return True

    def _write(self, path: Path, content: bytes) -> None:
        try:
            _replace(path, content)
        except OSError as error:
            _say(path, error)
        else:
            self._written.append((path, content))


def _say(path: Path, error: OSError) -> None:
    _log.info("%s cannot be used (%s): programs of this user do not get in by it", path, error)


def _place() -> Path | None:
    """Return where clients of this user look: in a runtime folder that is there, or in the home."""
    folders = runtime_folders()
    there = (folder for folder in folders if folder.parent.is_dir())
    return next(there, folders[-1] if folders else None)


def _remove_stale(folder: Path) -> None:
    """Remove what servers of this user have left that were killed."""
    for path in folder.glob("*.json"):
        left = read_local(path)
        if left is not None and not left.is_running:
            path.unlink(missing_ok=True)


def _make_private(folder: Path) -> None:
    """Make a folder for this user alone, or see to it that it is one.

    Raises:
        OSError: If it is a link, or of another user, or others may write to it.
    """
    folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(f"{folder} is no folder")
    if found.st_uid != os.geteuid():
        raise PermissionError(f"{folder} belongs to another user")
    if stat.S_IMODE(found.st_mode) & ~_FOLDER_MODE:
        folder.chmod(_FOLDER_MODE)


def _replace(path: Path, content: bytes) -> None:
    """Put a file in the place of the one that is there, whole at every moment."""
    new = path.with_name(f".{path.name}.{secrets.token_hex(_RANDOM_BYTES)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(new, flags, _MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
