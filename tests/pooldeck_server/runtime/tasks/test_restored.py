"""A database that was put back starts nothing until somebody says what becomes of its tasks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from pooldeck_server.domain.clock import SystemClock
from pooldeck_server.domain.errors import Conflict
from pooldeck_server.domain.measurements.experiment_request import ExperimentRequest
from pooldeck_server.domain.notices import Need
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.waiting import Help, WaitReason
from pooldeck_server.runtime.server import Server
from pooldeck_server.store.copies import Copying
from pooldeck_server.store.putting_back import put_back
from pooldeck_server.web.text.waiting import waiting_words
from tests.support.engine import engine, eventually, outcome, submit


class PutBack(NamedTuple):
    """A server on a backup, and what was in it: one task of each sort, and how often that ran."""

    server: Server
    waiting: str
    delayed: str
    running: str
    runs: Path


@asynccontextmanager
async def put_back_from(folder: Path) -> AsyncIterator[PutBack]:
    runs, flag, copy = folder / "runs", folder / "flag", folder / "copy"
    async with engine(folder / "data") as server:
        await server.pools.pause("cpu")
        waiting = await submit(server, "note", str(runs), "waited", pool="cpu")
        delayed = await submit(server, "note", str(runs), "delayed", pool="cpu", delay=3600)
        running = await submit(server, "wait_for", str(flag), pool="io")
        await until_running(server, running)
        Copying(server.settings.database, copy).make()
        flag.touch()
        await outcome(server, running)
    put_back(copy, folder / "elsewhere" / "pooldeck.sqlite3", SystemClock())
    async with engine(folder / "elsewhere") as server:
        yield PutBack(server, waiting, delayed, running, runs)


async def until_running(server: Server, task: str) -> None:
    while (await server.tasks.get(task)).state is not State.RUNNING:
        pass


async def state_of(server: Server, task: str) -> State:
    return (await server.tasks.get(task)).state


async def test_nothing_runs_and_what_ran_is_lost_until_somebody_says(tmp_path: Path) -> None:
    async with put_back_from(tmp_path) as (server, waiting, delayed, running, _):
        new = await submit(server, "add", 1, 2)
        assert [pool.state for pool in server.health.all()] == ["paused", "paused"]
        assert Need.RESTORED in [notice.need for notice in server.frames.latest().notices]
        with pytest.raises(Conflict, match="restored"):
            await server.pools.resume("io")
        assert await state_of(server, waiting) is State.QUEUED
        assert await state_of(server, delayed) is State.SCHEDULED
        assert await state_of(server, running) is State.LOST
        assert await state_of(server, new) is State.QUEUED
        why = server.waiting.of(await server.tasks.get(new))
        assert why is not None
        assert (why.reason, why.help) == (WaitReason.RESTORED, Help.SETTLE_RESTORED)
        assert waiting_words(why).startswith("The database was put back from a backup")


async def test_what_waited_runs_when_somebody_says_so(tmp_path: Path) -> None:
    async with put_back_from(tmp_path) as (server, waiting, delayed, _, runs):
        new = await submit(server, "add", 1, 2, pool="io")
        assert await server.restored.settle("run") == 2
        assert (await outcome(server, new)).state is State.SUCCEEDED
        # The pool that was paused when the backup was made still is.
        assert await state_of(server, waiting) is State.QUEUED
        await server.pools.resume("cpu")
        assert (await outcome(server, waiting)).state is State.SUCCEEDED
        assert runs.read_text().split() == ["waited"]
        assert await state_of(server, delayed) is State.SCHEDULED
        with pytest.raises(Conflict):
            await server.restored.settle("lost")


async def test_what_waited_is_lost_when_somebody_says_so_and_new_tasks_run(tmp_path: Path) -> None:
    async with put_back_from(tmp_path) as (server, waiting, delayed, _, runs):
        new = await submit(server, "note", str(runs), "new", pool="io")
        assert await server.restored.settle("lost") == 2
        for task in (waiting, delayed):
            found = await server.tasks.get(task)
            assert found.state is State.LOST
            assert "backup" in str(found.error)
        await server.pools.resume("cpu")
        assert (await outcome(server, new)).state is State.SUCCEEDED
        assert runs.read_text().split() == ["new"]
        await eventually(
            lambda: Need.RESTORED not in [each.need for each in server.frames.latest().notices]
        )


async def test_the_word_outlives_a_restart(tmp_path: Path) -> None:
    async with put_back_from(tmp_path) as (server, *_):
        await server.restored.settle("lost")
    async with engine(tmp_path / "elsewhere") as server:
        assert not server.restored.waits_for_a_word
        assert (await outcome(server, await submit(server, "add", 1, 2, pool="io"))).result == "3"


async def test_the_question_outlives_a_restart(tmp_path: Path) -> None:
    async with put_back_from(tmp_path):
        pass
    async with engine(tmp_path / "elsewhere") as server:
        assert server.restored.waiting == 2
        assert [pool.state for pool in server.health.all()] == ["paused", "paused"]


async def test_of_two_answers_at_once_the_first_counts(tmp_path: Path) -> None:
    async with put_back_from(tmp_path) as (server, waiting, *_):
        done = await asyncio.gather(
            *(server.restored.settle(word) for word in ("run", "lost")), return_exceptions=True
        )
        assert done[0] == 2
        assert isinstance(done[1], Conflict)
        assert await state_of(server, waiting) is State.QUEUED


async def test_neither_a_retry_nor_an_experiment_runs_before_the_word(tmp_path: Path) -> None:
    async with put_back_from(tmp_path) as (server, _, _, running, _):
        with pytest.raises(Conflict, match="restored"):
            await server.tasks.retry(running)
        request = ExperimentRequest(function="runtime_functions.add", samples=None)
        with pytest.raises(Conflict, match="restored"):
            await server.experiments.begin(request)


async def test_where_nothing_waited_nothing_is_asked(tmp_path: Path) -> None:
    async with engine(tmp_path / "data") as server:
        await outcome(server, await submit(server, "add", 1, 2))
        Copying(server.settings.database, tmp_path / "copy").make()
    put_back(tmp_path / "copy", tmp_path / "elsewhere" / "pooldeck.sqlite3", SystemClock())
    async with engine(tmp_path / "elsewhere") as server:
        assert not server.restored.waits_for_a_word
        assert (await outcome(server, await submit(server, "add", 1, 2))).state is State.SUCCEEDED
