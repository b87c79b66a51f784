"""Copies the database on a schedule, beside everything else, and deletes the oldest copies.

When the next one is due, the names of those that are there tell: they outlive a restart, and a
clock that is set back makes none before its time.
"""

import asyncio
import logging
import threading
import time
from calendar import timegm
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pooldeck_server.domain.clock import SECOND, Clock
from pooldeck_server.domain.copies import SCHEDULED, Copied
from pooldeck_server.domain.errors import CopyError
from pooldeck_server.runtime.background import BackgroundPart
from pooldeck_server.settings import BackupSettings
from pooldeck_server.store.copies import UNFINISHED, Copying, yield_to_others

_log = logging.getLogger(__name__)
_LOOK_SECONDS: Final = 30.0
_RETRY_SECONDS: Final = 600.0
_MIB: Final = 1024 * 1024


@dataclass(kw_only=True, eq=False)
class Backups(BackgroundPart):
    """Makes the backups."""

    doing = "making backups"

    settings: BackupSettings
    database: Path
    identity: str  # of the database: other databases may have their backups in the same folder
    clock: Clock
    trouble: str | None = field(init=False, default=None)  # why the latest could not be made
    last: Copied | None = field(init=False, default=None)
    last_at: int | None = field(init=False, default=None)  # microseconds since the epoch
    _copying: Copying | None = field(init=False, default=None)

    async def _run(self) -> None:
        while True:
            pause = await self.step()
            await asyncio.sleep(pause)

    async def step(self) -> float:
        """Make a backup if one is due; return the seconds until to look again."""
        try:
            await asyncio.to_thread(self._prepare_folder)
            made = await asyncio.to_thread(self._made)
            if made:
                self.last_at = self._time_of(made[-1])
            if made and self.clock.now() < self._due_after(made[-1]):
                self.trouble = None
                return _LOOK_SECONDS
            await self._make()
            await asyncio.to_thread(self._delete_oldest)
        except CopyError as error:
            self._complain(str(error))
            return _RETRY_SECONDS
        except OSError as error:
            self._complain(f"{error.filename}: {error.strerror}")
            return _RETRY_SECONDS
        return _LOOK_SECONDS

    async def stop(self) -> None:
        """End, in the middle of a copy too: that leaves nothing."""
        if self._copying is not None:
            self._copying.stop()
        await super().stop()

    def _prepare_folder(self) -> None:
        """Make the folder, and delete what a server that was killed has left unfinished there."""
        self.settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in self.settings.folder.glob(f"{self._prefix}*{UNFINISHED}*"):
            path.unlink(missing_ok=True)  # this server is the only one to make such, and makes none

    def _made(self) -> Sequence[Path]:
        """Return the backups of this database that are there, the oldest first.

        One whose name is of a time to come was made while the clock was wrong: it says nothing.
        """
        found = (path for path in self.settings.folder.iterdir() if path.is_file())
        return sorted(path for path in found if 0 < (self._time_of(path) or 0) <= self.clock.now())

    def _due_after(self, latest: Path) -> float:
        return (self._time_of(latest) or 0) + self.settings.every_hours * 3600 * SECOND

    @property
    def _prefix(self) -> str:
        return f"pooldeck-{self.identity}-"

    def _time_of(self, path: Path) -> int | None:
        """Return when a backup was made by its name (microseconds); None if it is none of these."""
        if not path.name.startswith(self._prefix):
            return None
        try:
            made_at = time.strptime(path.name.removeprefix(self._prefix), SCHEDULED)
        except ValueError:
            return None
        return timegm(made_at) * SECOND

    async def _make(self) -> None:
        now = self.clock.now()
        name = self._prefix + time.strftime(SCHEDULED, time.gmtime(now / SECOND))
        self._copying = Copying(self.database, self.settings.folder / name, self.clock, rests=True)
        try:
            copied = await _in_thread(self._copying)
        finally:
            self._copying = None
        self.last, self.last_at, self.trouble = copied, now, None
        _log.info(
            "a backup was made: %s, %d tasks, %.1f MiB, in %.1f s",
            copied.path,
            copied.tasks,
            copied.bytes / _MIB,
            copied.seconds,
        )

    def _delete_oldest(self) -> None:
        for path in self._made()[: -self.settings.keep]:
            path.unlink(missing_ok=True)

    def _complain(self, words: str) -> None:
        if self.trouble != words:
            _log.error("no backup was made: %s; it is tried again every 10 minutes", words)
        self.trouble = words


async def _in_thread(copying: Copying) -> Copied:
    """Make a copy on a thread of its own, which yields the CPU to all others."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Copied] = loop.create_future()

    def settle(copied: Copied | None, error: Exception | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        elif copied is not None:
            answer.set_result(copied)

    def make() -> None:
        yield_to_others()
        try:
            copied = copying.make()
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            loop.call_soon_threadsafe(settle, None, error)
        else:
            loop.call_soon_threadsafe(settle, copied, None)

    threading.Thread(target=make, name="backup", daemon=True).start()
    return await answer
