"""Keys of whole batches: what was taken once is not run again, and it costs one row."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select

from pooldeck_server.domain.errors import BadArguments, IdempotencyMismatch, TaskDeleted
from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.store import queries
from pooldeck_server.store.tables import batches, tasks
from tests.support.engine import call, engine, outcome, submit

MANY = [call("add", n, n) for n in range(100)]


def number_of_keys(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(batches)).scalar_one()


def claims(connection: Connection, task_id: str) -> int:
    found = connection.execute(select(tasks.c.claimed).where(tasks.c.id == task_id))
    return int(found.scalar_one())


async def test_a_key_gives_a_batch_the_same_ids_also_after_a_restart(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        ids = await server.intake.submit_batch(MANY, "one")
        other = await server.intake.submit_batch(MANY, "two")
        assert await server.intake.submit_batch(MANY, "one") == ids
        assert not set(ids) & set(other)
        assert await server.read(number_of_keys) == 2
    async with engine(tmp_path) as server:
        assert await server.intake.submit_batch(MANY, "one") == ids
        assert (await outcome(server, ids[7])).result == "14"
        assert (await server.read(queries.total, TaskFilter())).number == 200


async def test_a_batch_of_one_is_claimed_by_the_commit_that_stores_it_and_its_key(
    tmp_path: Path,
) -> None:
    async with engine(tmp_path) as server:
        await outcome(server, await submit(server, "add", 1, 1))  # since then nothing waits
        (task_id,) = await server.intake.submit_batch(MANY[:1], "alone")
        reader = server.intake.reader  # at once: any other way takes a turn of the loop
        assert (reader.call(claims, task_id), reader.call(number_of_keys)) == (1, 1)
        assert await server.intake.submit_batch(MANY[:1], "alone") == [task_id]
        assert (await outcome(server, task_id)).result == "0"
        assert (await server.read(queries.total, TaskFilter())).number == 2


async def test_a_key_stands_for_one_batch(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        await server.intake.submit_batch(MANY, "one")
        for other in (MANY[:-1], MANY[::-1], [*MANY, call("add", 1, 1)]):
            with pytest.raises(IdempotencyMismatch):
                await server.intake.submit_batch(other, "one")


async def test_a_batch_that_was_refused_leaves_its_key_free(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        with pytest.raises(BadArguments):
            await server.intake.submit_batch([call("add", 1, "x")], "one")
        assert len(await server.intake.submit_batch(MANY, "one")) == len(MANY)


async def test_a_batch_that_comes_several_times_at_once_is_stored_once(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        sent = (server.intake.submit_batch(MANY, "one") for _ in range(5))
        first, *others = await asyncio.gather(*sent)
        assert all(ids == first for ids in others)
        assert (await server.read(queries.total, TaskFilter())).number == len(MANY)


async def test_items_may_have_keys_beside_that_of_the_whole(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        earlier = await server.intake.submit(call("add", 1, 1), "a")
        items = [
            call("add", 0, 0),
            call("add", 1, 1, idempotency_key="a"),
            call("add", 2, 2, idempotency_key="b"),
            call("add", 3, 3),
            call("add", 2, 2, idempotency_key="b"),
        ]
        ids = await server.intake.submit_batch(items, "one")
        assert ids[1] == earlier.task.id
        assert ids[2] == ids[4]
        assert len(set(ids)) == 4
        assert await server.intake.submit_batch(items, "one") == ids


async def test_a_batch_of_which_a_task_was_deleted_is_not_run_again(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        ids = await server.intake.submit_batch(MANY[:3], "one")
        for task_id in ids:
            await outcome(server, task_id)
        await server.deletion.delete(ids[1])
        with pytest.raises(TaskDeleted, match="1 of its 3 tasks"):
            await server.intake.submit_batch(MANY[:3], "one")
        with pytest.raises(IdempotencyMismatch):
            await server.intake.submit_batch(MANY[:2], "one")
