"""Looks at the room that the database takes and at what is left of its disk, off the event loop.

Once a day counts: what is in use at its end, so that pages can say how much comes to it each day.
"""

import asyncio
import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.domain.retention import DAY, FileRoom, StorageDay, growth_per_day
from pooldeck_server.runtime.background import BackgroundPart
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.counts import Counts
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Reader

_log = logging.getLogger(__name__)
_LOOK_SECONDS: Final = 30.0
_SAVE_MICROSECONDS: Final = 600 * 1_000_000
_SMALL_SHARE: Final = 10  # of a small disk, the part that may be left
_DAYS: Final = 8
_MIB: Final = 1024 * 1024


@dataclass(kw_only=True, eq=False)
class Storage(BackgroundPart):
    """How large the database is, how it grows, and what room there is for it."""

    doing = "looking at the room on the disk"

    folder: Path  # of the database
    low_disk_bytes: int
    recorder: Recorder
    reader: Reader
    clock: Clock
    counts: Counts
    changes: LiveChanges
    disk_bytes: int | None = field(init=False, default=None)  # None: not looked at yet
    disk_free_bytes: int | None = field(init=False, default=None)
    room: FileRoom = field(init=False, default=FileRoom(0, 0))
    days: Sequence[StorageDay] = field(init=False, default=())
    _saved_at: int = field(init=False, default=0)

    @property
    def growth_per_day(self) -> float | None:
        """By how many bytes what is in use grew a day, over the latest week; None: unknown yet."""
        return growth_per_day(self.days)

    @property
    def is_low(self) -> bool:
        """Tell whether the disk has less room than the settings say.

        Of a small disk less than a tenth: it may never have had as much.
        """
        if self.disk_bytes is None or self.disk_free_bytes is None:
            return False
        least = min(self.low_disk_bytes, self.disk_bytes // _SMALL_SHARE)
        return self.disk_free_bytes < least

    async def _run(self) -> None:
        while True:
            try:
                await self.step()
            except PooldeckError as error:
                _log.warning("the size of the database could not be read: %s", error)
            await asyncio.sleep(_LOOK_SECONDS)

    async def step(self) -> None:
        """Look once; keep what was found from time to time.

        Raises:
            PooldeckError: If the store cannot be read.
        """
        was_low = self.is_low
        try:
            usage = await asyncio.to_thread(shutil.disk_usage, self.folder)
        except OSError as error:
            _log.debug("the disk of %s could not be looked at: %s", self.folder, error)
        else:
            self.disk_bytes, self.disk_free_bytes = usage.total, usage.free
        if self.is_low != was_low:
            self._say()
        self.room = await self.reader.run(queries.file_room)
        now = self.clock.now()
        if abs(now - self._saved_at) >= _SAVE_MICROSECONDS:
            day, used, number = now // DAY, self.room.used_bytes, sum(self.counts.counts().values())
            self._saved_at = now
            await self.recorder.try_perform(
                lambda tx: records.save_day(tx, day, used, number), "the size of the database"
            )
            self.days = await self.reader.run(queries.stored_days, _DAYS)

    def _say(self) -> None:
        """Say in the log, and on every page, that room is scarce now, or no more."""
        self.changes.mark_dirty()
        free = (self.disk_free_bytes or 0) / _MIB
        if self.is_low:
            _log.warning(
                "%.0f MiB are free on the disk of the database: make room before it is full and "
                "everything that is written is refused; as long as there is some, more tasks may "
                "be let go on /retention",
                free,
            )
        else:
            _log.warning(
                "%.0f MiB are free on the disk of the database: that is enough again", free
            )
