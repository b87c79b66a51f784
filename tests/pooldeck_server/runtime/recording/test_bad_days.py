"""The server while the database takes no writes, and after."""

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pooldeck_server.domain.errors import StorageUnavailable
from tests.support.engine import engine, eventually, outcome, submit

LEAN = {"cpu": {"kind": "process", "size": 1, "spare": 0}}


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Keep everybody else from writing."""
    with closing(sqlite3.connect(database)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.rollback()


async def test_a_worker_that_dies_while_the_database_is_locked_is_replaced_when_it_is_not(
    tmp_path: Path,
) -> None:
    async with engine(tmp_path, pools=LEAN) as server:
        await outcome(server, await submit(server, "add", 1, 2, pool="cpu"))
        (worker,) = server.health.pool("cpu").workers
        with locked(tmp_path / "pooldeck.sqlite3"):
            os.kill(worker.pid or 0, signal.SIGKILL)
            await eventually(lambda: not server.health.pool("cpu").workers)
            with pytest.raises(StorageUnavailable):
                await submit(server, "add", 1, 2, pool="cpu")
        task = await outcome(server, await submit(server, "add", 3, 4, pool="cpu"))
        assert task.result == "7"
        assert server.health.pool("cpu").incidents == 1


async def test_what_is_set_by_hand_and_cannot_be_kept_is_not_done(tmp_path: Path) -> None:
    async with engine(tmp_path, pools=LEAN) as server:
        with locked(tmp_path / "pooldeck.sqlite3"), pytest.raises(StorageUnavailable):
            await server.pools.resize("cpu", 3)
        assert (server.health.pool("cpu").size, server.health.pool("cpu").controls) == (1, None)
        assert (await server.pools.resize("cpu", 2)).size == 2
