"""Which workers have older code than the disk, or than workers that were started after them."""

import asyncio
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from pooldeck.loaded_code import digest_of
from pooldeck_server.domain.functions.version import Version
from pooldeck_server.runtime.background import BackgroundPart
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.tasks.functions import Functions

_PAUSE: Final = 2.0  # seconds between two looks at the disk


@dataclass(kw_only=True, eq=False)
class OutdatedCode(BackgroundPart):
    """Compares what workers have loaded with each other and, now and then, with the disk."""

    doing = "comparing code with the disk"

    functions: Functions
    changes: LiveChanges
    _disk: dict[str, str | None] = field(init=False, default_factory=dict)  # digests by path
    _changed: dict[str, list[str]] = field(init=False, default_factory=dict)  # by version, since
    _compared: set[str] = field(init=False, default_factory=set)  # versions, at the latest look
    _stamps: dict[str, tuple[int, int] | None] = field(init=False, default_factory=dict)

    def is_outdated(self, version: Version) -> bool:
        """Tell whether a restart would load other code than a worker has."""
        newest = self.functions.newest
        return bool(self.changed_files(version)) or (
            newest is not None and newest is not version and version.differs_from(newest)
        )

    def changed_files(self, version: Version) -> list[str]:
        """Return the paths of the files that have changed since they were loaded.

        What was loaded since the latest look at the disk is newer than that.
        """
        if version.id not in self._compared:
            return []
        if version.id not in self._changed:  # asked for several times a second, of many files
            self._changed[version.id] = self._unlike(version)
        return self._changed[version.id]

    def _unlike(self, version: Version) -> list[str]:
        return [
            path
            for path, digest in version.code.sources.items()
            if self._disk.get(path, digest) != digest
        ]

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_PAUSE)
            versions = self.functions.versions
            paths = {path for version in versions for path in version.code.sources}
            # Of two texts of one size one may have got the time of the other.
            in_doubt = {path for version in versions for path in self._unlike(version)}
            before = self._disk, self._compared
            await asyncio.to_thread(self._read, paths, in_doubt)
            self._compared, self._changed = {version.id for version in versions}, {}
            if (self._disk, self._compared) != before:
                self.changes.mark_dirty()

    def _read(self, paths: Iterable[str], in_doubt: Collection[str]) -> None:
        """Read the files anew whose size or time has changed; forget those that are not used."""
        stamps = {path: _stamp(path) for path in paths}
        self._disk = {
            path: self._disk[path]
            if path in self._disk and self._stamps.get(path) == stamp and path not in in_doubt
            else digest_of(path)
            for path, stamp in stamps.items()
        }
        self._stamps = stamps


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - thousands of paths, every other second
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
