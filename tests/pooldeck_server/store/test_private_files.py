"""Whatever the folder lets others do, the files of the database are closed to them."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pooldeck_server.store.database import Database
from pooldeck_server.store.private_files import beside
from tests.support.stored import opened

FILES = ("pooldeck.db", "pooldeck.db-wal", "pooldeck.db-shm", "pooldeck.lock")


@pytest.fixture(autouse=True)
def usual_mask() -> Iterator[None]:
    """What others may read is made so unless it is said otherwise."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir(mode=0o755)
    return tmp_path / "data"


def are_open(folder: Path) -> list[str]:
    """Return the files that are there and that others may do anything with."""
    there = [folder / name for name in FILES if (folder / name).exists()]
    return [file.name for file in there if file.stat().st_mode & 0o077]


def warnings(caplog: pytest.LogCaptureFixture) -> str:
    theirs = [each for each in caplog.records if each.name.endswith("private_files")]
    return "\n".join(each.getMessage() for each in theirs if each.levelno == logging.WARNING)


def test_a_new_database_in_a_folder_that_all_may_read_is_its_owners_alone(folder: Path) -> None:
    database = Database.open(folder / "pooldeck.db")

    assert {file.name for file in folder.iterdir()} == set(FILES)
    assert are_open(folder) == []
    database.close()


def test_files_that_others_could_read_are_closed_and_it_is_said(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Database.open(folder / "pooldeck.db").close()
    (folder / "pooldeck.db").chmod(0o644)
    beside(folder / "pooldeck.db", "wal").touch(mode=0o664)

    with opened(folder) as store:
        store.add()
        assert are_open(folder) == []

    assert f"could read {folder / 'pooldeck.db'}," in warnings(caplog)
    caplog.clear()
    Database.open(folder / "pooldeck.db").close()
    assert warnings(caplog) == ""


def test_a_folder_that_all_may_write_to_is_warned_of(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder.chmod(0o777)
    Database.open(folder / "pooldeck.db").close()

    assert f"may write to the folder {folder}" in warnings(caplog)
