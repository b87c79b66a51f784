"""Whether the files at their paths are still those that this server opened, and its alone.

A file that is open lives on when it is deleted or replaced: SQLite goes on writing to it, and all
that is gone with the process. So the writer's thread looks before each commit (which costs a few
microseconds), and whoever gives the sign of life looks every second. Once something else stands at
the path, or nothing, no commit is made; when the same file is back, commits go on.
"""

import logging
import os
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from msgspec import Struct

from pooldeck_server.domain.errors import StorageUnavailable
from pooldeck_server.store.lock import Lock, LockHeldError


class Displaced(StrEnum):
    """How the files at their paths are no longer those that the server opened."""

    MISSING = "missing"  # deleted, or moved away
    REPLACED = "replaced"  # another file stands in its place
    TAKEN = "taken"  # the lock file was removed, and another server has locked a new one


class Displacement(Struct, frozen=True):
    """What is wrong with which file."""

    how: Displaced
    file: str  # its path
    holder: str | None = None  # the process id of the other server, where there is one


_log = logging.getLogger(__name__)
_RETRY_SECONDS: Final = 10  # somebody has to put a file back, or restart the server
_WORDS: Final = {
    Displaced.MISSING: "was deleted or moved away",
    Displaced.REPLACED: "was replaced by another file",
    Displaced.TAKEN: "was taken over by another server",
}


@dataclass(eq=False)
class Standing:
    """The files of one database, which may be looked at from any thread."""

    path: Path  # of the database, which is open and has been written to
    lock: Lock  # of its folder
    displacement: Displacement | None = field(init=False, default=None)  # by the latest look
    _mutex: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._opened = self.path.stat()

    def look(self) -> None:
        """Look at the database and at the lock file; a lock file that was removed is made again."""
        with self._mutex:
            self._note(self._of_database() or self._of_lock())

    def check(self) -> None:
        """Look at the database only.

        Raises:
            StorageUnavailable: If what would be committed now would be lost.
        """
        with self._mutex:
            self._note(self._of_database())
        self.refuse()

    def refuse(self) -> None:
        """Raise `StorageUnavailable` if the latest look has found anything."""
        if found := self.displacement:
            raise StorageUnavailable(_in_short(found), retry_after=_RETRY_SECONDS)

    def is_replaced(self) -> bool:
        """Tell whether another file stands in the place of the database at this moment."""
        with self._mutex:
            found = self._of_database()
        return found is not None and found.how is Displaced.REPLACED

    def _of_database(self) -> Displacement | None:
        if (before := self.displacement) and before.how is Displaced.TAKEN:
            return before  # for good: the other server has moved on what this one has in memory
        try:
            found = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return Displacement(Displaced.MISSING, str(self.path))
        except OSError:
            return before  # a folder that may not be read, say: nothing is known of the file
        if os.path.samestat(found, self._opened):
            return None
        return Displacement(Displaced.REPLACED, str(self.path))

    def _of_lock(self) -> Displacement | None:
        try:
            with suppress(OSError):  # a full disk: it is tried again at the next look
                self.lock.keep()
        except LockHeldError as error:
            return Displacement(Displaced.TAKEN, str(self.lock.path), error.holder)
        return None

    def _note(self, found: Displacement | None) -> None:
        before, self.displacement = self.displacement, found
        if found == before:
            return
        if found is None:
            _log.warning("the database %s is back; submissions are taken again", self.path)
        else:
            _log.error("%s; until then submissions are refused", _in_full(found))


def _in_short(found: Displacement) -> str:
    return f"the database {_WORDS[found.how]} under the running server; its log says what to do"


def _in_full(found: Displacement) -> str:
    return f"{found.file} {_WORDS[found.how]} under the running server; {_to_do(found)}"


def _to_do(found: Displacement) -> str:
    match found.how:
        case Displaced.MISSING:
            return (
                "put the same file back, or stop the server, put a backup there, "
                f"remove {found.file}-wal and start again"
            )
        case Displaced.REPLACED:
            return "stop the server and start it again, and it uses the new file"
        case Displaced.TAKEN:
            return (
                f"somebody had removed it; stop this server (process {os.getpid()}), "
                f"for process {found.holder} uses the database now"
            )
