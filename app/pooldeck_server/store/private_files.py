"""The files of a database are their owner's alone, whatever its folder lets other users do.

Arguments wait in them until their tasks are final, sensitive ones too.
"""

import logging
import os
import stat
from pathlib import Path
from typing import Final

from pooldeck_server.domain.errors import StartupError

_log = logging.getLogger(__name__)
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_READABLE: Final = stat.S_IRGRP | stat.S_IROTH


def make_private(path: Path) -> None:
    """Close the database at `path` and what stands beside it to others; make it if it is missing.

    To the files that SQLite makes beside it later, it gives the mode of the database.

    Raises:
        OSError: If the database is missing and cannot be made.
    """
    os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
    for file in (path, beside(path, "wal"), beside(path, "shm"), beside(path, "journal")):
        if file.exists():
            _close(file)


def beside(path: Path, kind: str) -> Path:
    """Return the file of one `kind` that SQLite keeps beside the database at `path`."""
    return path.with_name(f"{path.name}-{kind}")


def refuse_foreign(folder: Path, *files: Path) -> None:
    """Refuse a data folder, or files in it, that another user can put other things into.

    They would have this process delete files elsewhere by a link, or let them in by a token that
    they have written into the database. What belongs to root is nobody else's.

    Raises:
        StartupError: If one of them belongs to another user, or a file is a link.
    """
    for path in (folder.resolve(), *files):
        try:
            found = path.lstat()
        except FileNotFoundError:
            continue
        if found.st_uid not in {os.geteuid(), 0}:
            raise StartupError(
                f"{path} belongs to another user (uid {found.st_uid}), who could have this server "
                "do anything: start it as that user, or name another data folder by --data"
            )
        if stat.S_ISLNK(found.st_mode):
            raise StartupError(f"{path} is a link: put the data folder itself elsewhere by --data")


def warn_of_open_folder(folder: Path) -> None:
    """Say so if any user of the machine may put other files in the place of those in `folder`."""
    if folder.stat().st_mode & stat.S_IWOTH:
        _log.warning(
            "any user of this machine may write to the folder %s, and so replace the database: "
            "chmod o-w it",
            folder,
        )


def _close(file: Path) -> None:
    mode = stat.S_IMODE(file.stat().st_mode)
    if not mode & _OTHERS:
        return
    try:
        file.chmod(mode & ~_OTHERS)
    except PermissionError:
        _log.warning("%s belongs to another user and is open to others: chmod go= it", file)
        return
    if mode & _READABLE:
        _log.warning(
            "other users of this machine could read %s, with the arguments of tasks in it; "
            "it is closed to them from now on",
            file,
        )
