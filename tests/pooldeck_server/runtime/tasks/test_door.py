"""What the server refuses before it looks at it."""

import asyncio
from pathlib import Path

import pytest

from pooldeck_server.domain.errors import Draining, StorageUnavailable
from pooldeck_server.runtime.tasks.door import Door
from pooldeck_server.store.database import Database


def test_it_is_shut_while_the_database_is_gone_and_once_the_server_ends(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "pooldeck.sqlite3")
    told = asyncio.Event()
    door = Door(is_closing=told.is_set, standing=database.standing)
    try:
        door.check()
        states = [door.is_open]

        aside = tmp_path / "aside"
        (tmp_path / "pooldeck.sqlite3").rename(aside)
        database.standing.look()
        states.append(door.is_open)
        with pytest.raises(StorageUnavailable):
            door.check()

        aside.rename(tmp_path / "pooldeck.sqlite3")
        database.standing.look()
        told.set()
        states.append(door.is_open)
        assert states == [True, False, False]
        with pytest.raises(Draining, match="submit again when it is back"):
            door.check()
    finally:
        database.close()
