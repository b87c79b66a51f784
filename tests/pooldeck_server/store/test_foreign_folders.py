"""A data folder that another user can put things into is refused at the start."""

import os
from pathlib import Path

import pytest

from pooldeck_server.domain.errors import StartupError
from pooldeck_server.store.database import Database

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user")
ANOTHER = 65534


@needs_root
@pytest.mark.parametrize("name", ["", "pooldeck.sqlite3", "pooldeck.lock", "workers"])
def test_what_belongs_to_another_user_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    theirs = folder / name
    theirs.touch()
    os.chown(theirs, ANOTHER, -1)

    with pytest.raises(StartupError, match="belongs to another user"):
        Database.open(folder / "pooldeck.sqlite3")


@pytest.mark.parametrize("name", ["pooldeck.lock", "workers"])
def test_a_link_in_its_place_is_refused(tmp_path: Path, name: str) -> None:
    folder, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    (folder / name).symlink_to(elsewhere)

    with pytest.raises(StartupError, match="is a link"):
        Database.open(folder / "pooldeck.sqlite3")
    assert (elsewhere / "precious").exists()


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "large-disk").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "large-disk")

    Database.open(tmp_path / "data" / "pooldeck.sqlite3").close()
