"""The disk of the database and of its backups: room, kind of file system, permissions."""

import os
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pooldeck_server.doctor.findings import CheckResult, look, ok, size, wrong
from pooldeck_server.settings import BackupSettings, Settings

_TOPIC: Final = "disk"
_BACKUPS: Final = "backups"
_NETWORK: Final = frozenset(
    (
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre"),
        *("vboxsf", "fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone", "drvfs", "prl_fs"),
    )
)
_IN_MEMORY: Final = frozenset(("tmpfs", "ramfs"))
_FEWEST: Final = 100 * 1024 * 1024  # bytes
_FEW: Final = 1024 * 1024 * 1024
_FEW_FILES: Final = 1000  # inodes
_LATE: Final = 1.5  # times as old as a backup should be


def look_at(data: Path) -> Iterator[CheckResult]:
    """Look at the data folder; where it is not there yet, at the folder that it will be in."""
    place = _nearest(data)
    yield _kind(place, data)
    yield _room(place, data)
    yield from _files_left(place)
    yield from _permissions(place, data)


def _nearest(path: Path) -> Path:
    """Return a folder, or the nearest one above it that is there."""
    path = path.absolute()
    return next(each for each in (path, *path.parents) if each.is_dir())


def _kind(place: Path, data: Path) -> CheckResult:
    kind = file_system(place)
    if kind in _NETWORK:
        return wrong(
            _TOPIC,
            f"{data} is on a file system of the network ({kind}): SQLite's write-ahead log does "
            "not work on these, and can be damaged",
            "take a folder on a disk of this machine, and let backups go to the network",
        )
    if kind in _IN_MEMORY:
        return look(
            _TOPIC,
            f"{data} is in memory ({kind}): nothing of it survives a restart of the machine",
            "take a folder on a disk: --data, or POOLDECK_DATA",
        )
    return ok(_TOPIC, f"{data} is on {kind or 'a file system that is not known'}")


def file_system(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str | None:
    """Return the kind of the file system that a path is on, None if it cannot be told."""
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return None
    path = path.resolve()
    found: tuple[int, str | None] = (-1, None)
    for line in lines:
        parts = line.split()
        if len(parts) < 3:  # noqa: PLR2004 - device, place, kind
            continue
        point = Path(parts[1].replace("\\040", " "))
        if path.is_relative_to(point) and len(point.parts) >= found[0]:
            found = (len(point.parts), parts[2])
    return found[1]


def _room(place: Path, data: Path) -> CheckResult:
    free = shutil.disk_usage(place).free
    used = sum(file.stat().st_size for file in place.glob("*.sqlite3*") if file.is_file())
    words = f"{size(free)} are free"
    mend = f"make room on the disk of {data}, or move the folder to a larger one"
    if free < _FEWEST:
        return wrong(_TOPIC, f"only {words}: submissions are refused when it is full", mend)
    if free < max(_FEW, used if place == data.absolute() else 0):
        return look(_TOPIC, f"{words}; the database and its copies take {size(used)}", mend)
    return ok(_TOPIC, words)


def _files_left(place: Path) -> Iterator[CheckResult]:
    found = os.statvfs(place)
    if found.f_files and found.f_favail < _FEW_FILES:
        yield wrong(_TOPIC, f"only {found.f_favail} more files fit on it", "delete small files")


def _permissions(place: Path, data: Path) -> Iterator[CheckResult]:
    if place != data.absolute():
        if data.exists():
            yield wrong(_TOPIC, f"{data} is not a folder", "name a folder: --data, POOLDECK_DATA")
        elif not os.access(place, os.W_OK | os.X_OK):
            yield wrong(
                _TOPIC,
                f"{data} is not there, and this user cannot make it in {place}",
                f"make it, and give it to the server's user: install -d -o USER -m 700 {data}",
            )
        return
    if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
        yield wrong(
            _TOPIC,
            f"this user (uid {os.geteuid()}) cannot write to {data}",
            "run this as the server's user; if it is, chown the folder to it",
        )
        return
    if place.stat().st_mode & stat.S_IWOTH:
        yield look(_TOPIC, f"any user may replace the database in {data}", f"chmod o-w {data}")
    yield from _owners(data)


def _owners(data: Path) -> Iterator[CheckResult]:
    """Look for files that the server's user cannot write: somebody started it as another once."""
    for file in sorted(data.glob("pooldeck.*")):
        if not os.access(file, os.R_OK | os.W_OK):
            yield wrong(
                _TOPIC,
                f"this user cannot write to {file}, which belongs to uid {file.stat().st_uid}",
                f"chown it to the server's user: chown USER {file}",
            )
        elif file.stat().st_mode & 0o077:
            yield look(_TOPIC, f"{file} is open to other users", f"chmod go= {file}")


def look_at_backups(settings: Settings) -> Iterator[CheckResult]:
    """Look whether there are backups, how old the newest is, and whether they are elsewhere."""
    if settings.backup is None:
        yield look(
            _BACKUPS,
            "none are made on a schedule",
            "set a folder on another disk under [backup], or run pooldeck backup by cron",
        )
        return
    yield from _newest(settings.backup)
    folder, data = _nearest(settings.backup.folder), _nearest(settings.data)
    if folder.stat().st_dev == data.stat().st_dev:
        yield look(
            _BACKUPS,
            f"{settings.backup.folder} is on the same disk as the database",
            "choose a folder on another disk, or copy them to another machine",
        )


def _newest(backup: BackupSettings) -> Iterator[CheckResult]:
    try:
        made = [file.stat().st_mtime for file in backup.folder.glob("*.sqlite3")]
    except OSError as error:
        yield wrong(_BACKUPS, f"{backup.folder}: {error.strerror}", "mend its permissions")
        return
    if not made:
        yield look(
            _BACKUPS,
            f"there is none in {backup.folder}",
            "one is made within minutes of the start; if not, a notice on every page says why",
        )
        return
    hours = (time.time() - max(made)) / 3600
    words = f"the newest of {len(made)} in {backup.folder} is {hours:.1f} h old"
    if hours > _LATE * backup.every_hours:
        yield look(
            _BACKUPS,
            f"{words}; there should be one every {backup.every_hours:g} h",
            "see the notices of the server, and whether it runs",
        )
    else:
        yield ok(_BACKUPS, words)
