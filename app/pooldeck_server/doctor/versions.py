"""Which versions run here, and which of them are known to do harm."""

import platform
import sqlite3
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Final

from pooldeck_server.doctor.findings import CheckResult, look, ok, wrong
from pooldeck_server.store.connections import has_wal_bug

_TOPIC: Final = "versions"
_LEAST_PYTHON: Final = (3, 11)
_MEND: Final = "pip install 'pooldeck[server]' into the environment of this command"


def look_at() -> Iterator[CheckResult]:
    """Look at Python, SQLite and the libraries."""
    python = platform.python_version()
    if sys.version_info < _LEAST_PYTHON:
        yield wrong(_TOPIC, f"Python {python} is too old", "install Python 3.11 or later")
    yield ok(_TOPIC, f"Pooldeck {version('pooldeck')}, Python {python}, {platform.platform()}")
    yield from _sqlite(sqlite3.sqlite_version_info)
    yield from _libraries()


def _sqlite(found: tuple[int, int, int]) -> Iterator[CheckResult]:
    words = ".".join(map(str, found))
    if has_wal_bug(found):
        yield look(
            _TOPIC,
            f"SQLite {words} can corrupt a database that several programs write to at once",
            "Pooldeck writes on one connection only: open the file with nothing else while the "
            "server runs, keep backups, and take a Python whose SQLite is 3.51.3 or later",
        )
    else:
        yield ok(_TOPIC, f"SQLite {words}")


def _libraries() -> Iterator[CheckResult]:
    """Look for what the server needs; bounds are compared where the library for that is there."""
    bad = 0
    for text in requires("pooldeck") or ():
        bare, _, marker = text.partition(";")
        if marker and "server" not in marker:
            continue
        if problem := _problem(bare.strip()):
            bad += 1
            yield wrong(_TOPIC, problem, _MEND)
    if not bad:
        yield ok(_TOPIC, "the libraries that the server needs are there")


def _problem(requirement: str) -> str | None:
    name = requirement
    for sign in "[<>=!~ (":
        name = name.partition(sign)[0]
    try:
        found = version(name)
    except PackageNotFoundError:
        return f"{name} is missing"
    try:
        from packaging.requirements import Requirement  # noqa: PLC0415  (often there, not needed)
    except ImportError:
        return None
    if Requirement(requirement).specifier.contains(found, prereleases=True):
        return None
    return f"{name} {found} does not fit: {requirement}"
