"""The files of copies: private, named when they are whole, and gone where they are not."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pooldeck_server.domain.errors import CopyError


def logs_of(database: Path) -> tuple[Path, ...]:
    return tuple(database.with_name(database.name + end) for end in ("-wal", "-shm"))


def exists(path: Path) -> CopyError:
    return CopyError(f"{path} exists; name another file, or move it away")


def give_name(part: Path, target: Path) -> None:
    """Give a copy its name, unless another file has got that meanwhile."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise exists(target) from None
    except OSError:  # no hard links there
        if target.exists():
            raise exists(target) from None
        part.rename(target)


def make_private(path: Path) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def removed_at_the_end(path: Path) -> Iterator[None]:
    """Leave nothing under a name that is only for the time of the work."""
    try:
        yield
    finally:
        for left in (path, *logs_of(path), path.with_name(f"{path.name}-journal")):
            left.unlink(missing_ok=True)


@contextmanager
def errors_in_words(source: Path, target: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise CopyError(f"{source} could not be copied to {target}: {error}") from error
    except OSError as error:
        words = error.strerror or error
        raise CopyError(f"{source} could not be copied to {target}: {words}") from error
