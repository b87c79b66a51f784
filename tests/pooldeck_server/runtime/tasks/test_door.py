"""What the server refuses before it looks at it."""

import asyncio
from pathlib import Path

import pytest

from pooldeck_server.domain.clock import ManualClock
from pooldeck_server.domain.errors import Draining, StorageUnavailable
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.recording.annotations import Annotations
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.door import Door
from pooldeck_server.runtime.tasks.server_drain import ServerDrain
from pooldeck_server.store.database import Database


def a_drain(database: Database, told: asyncio.Event) -> ServerDrain:
    clock, recorder = ManualClock(), Recorder(database, 10)
    return ServerDrain(
        clock=clock,
        recorder=recorder,
        annotations=Annotations(recorder=recorder, clock=clock),
        changes=LiveChanges(),
        queues={},
        usual=lambda _: None,
        queued=lambda _: 0,
        is_closing=told.is_set,
        end=lambda _: told.set(),
    )


async def test_it_is_shut_while_the_database_is_gone_the_server_is_drained_and_once_it_ends(
    tmp_path: Path,
) -> None:
    database = Database.open(tmp_path / "pooldeck.sqlite3")
    told = asyncio.Event()
    drain = a_drain(database, told)
    door = Door(is_closing=told.is_set, drain=drain, standing=database.standing)
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
        drain.begin("ada", "new disk", seconds=7)
        states.append(door.is_open)
        with pytest.raises(Draining, match="drained by ada") as refused:
            door.check()
        assert refused.value.retry_after == 8
        drain.resume("ada")
        states.append(door.is_open)
        told.set()
        states.append(door.is_open)
        assert states == [True, False, False, True, False]
        with pytest.raises(Draining, match="submit again when it is back"):
            door.check()
    finally:
        database.close()
