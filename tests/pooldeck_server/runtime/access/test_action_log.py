"""The log of actions over weeks, what the server does by its own rules, and floods of tokens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pooldeck_server.domain.actions import Action, ActionFilter, Actor, ActorKind, Deed
from pooldeck_server.domain.errors import NotFound, StorageUnavailable
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime import acting
from pooldeck_server.runtime.access.action_log import ActionLog
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries, records
from tests.support.clocks import vouched
from tests.support.engine import call, engine, outcome, submit
from tests.support.stored import Store, opened

DAY = 24 * 3600.0  # seconds
ADA = Actor("ada", ActorKind.PRINCIPAL, "10.0.0.7")


@asynccontextmanager
async def logging(store: Store, keep_days: int = 365, most: int = 0) -> AsyncIterator[ActionLog]:
    recorder = Recorder(store.database, limit=100)
    recorder.start()
    try:
        yield ActionLog(
            recorder=recorder,
            clock=store.clock,
            vouched=vouched(store.clock),
            keep_days=keep_days,
            most=most,
        )
    finally:
        await recorder.stop()


def kept(store: Store) -> list[Action]:
    return list(store.read(queries.actions, ActionFilter(), 500).items)


def written(store: Store, number: int) -> None:
    """Write actions of this moment."""
    for _ in range(number):
        store.write(records.act, acting.action(store.clock.now(), Deed.PAUSE, "pool", "cpu"))


async def log_of(server: Server, **wanted: object) -> list[Action]:
    """Return what is in the log by now, newest first."""
    await server.read(queries.identity)
    found = await server.read(queries.actions, ActionFilter(**wanted))  # type: ignore[arg-type]
    return list(found.items)


async def until_it_runs(server: Server, task_id: str) -> None:
    for _ in range(3000):
        if (await server.tasks.get(task_id)).state is State.RUNNING:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it does not run")


# Over time.


async def test_actions_go_after_their_time_in_small_batches_and_not_before(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        async with logging(store, keep_days=30) as log:
            written(store, 1001)
            store.clock.advance(29 * DAY)
            written(store, 1)
            assert not await log.step()
            store.clock.advance(1.5 * DAY)
            assert await log.step()
            assert len(kept(store)) == 2
            assert await log.step()
            assert not await log.step()
            assert len(kept(store)) == 1


@pytest.mark.parametrize("keep_days", [0, 365])
async def test_of_too_many_actions_the_oldest_go_in_small_batches(
    tmp_path: Path, keep_days: int
) -> None:
    with opened(tmp_path) as store:
        async with logging(store, keep_days, most=3) as log:
            written(store, 3)
            assert not await log.step()
            newest = [each.id for each in kept(store)]
            written(store, 1)
            newest = [kept(store)[0].id, *newest[:2]]
            assert await log.step()
            assert not await log.step()
            assert [each.id for each in kept(store)] == newest
            written(store, 1005)
            assert await log.step()
            assert len(kept(store)) == 8
            assert await log.step()
            assert not await log.step()
            assert len(kept(store)) == 3


async def test_with_no_time_set_they_stay(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        async with logging(store, keep_days=0) as log:
            written(store, 1)
            store.clock.advance(5000 * DAY)
            assert not await log.step()
            assert len(kept(store)) == 1


async def test_a_flood_of_wrong_tokens_is_a_few_actions_that_say_how_many(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        async with logging(store) as log:
            for number in range(200):
                log.note_failed_login(f"10.0.0.{number}")
                log.note_failed_login("10.0.0.1")
            store.clock.advance(3600.0)
            log.note_failed_login("10.0.0.1")
        found = kept(store)
        assert len(found) == 52
        numbers = {each.address: each.number for each in reversed(found[1:])}
        assert numbers["10.0.0.1"] == 201
        assert numbers["others"] == 150
        assert {each.actor_kind for each in found} == {ActorKind.STRANGER}


# What is done.


async def test_the_deed_and_its_action_are_one_commit_or_neither(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.add()

        def fail(tx: object) -> None:
            moves = records.cancel(tx, [task.seq], 1)  # type: ignore[arg-type]
            action = acting.action(1, Deed.CANCEL, "task", task.id)
            records.act_on_moved(tx, action, moves)  # type: ignore[arg-type]
            raise StorageUnavailable("the disk is gone")

        with pytest.raises(StorageUnavailable):
            store.write(fail)
        assert kept(store) == []


async def test_what_people_do_and_what_the_server_does_are_told_apart(tmp_path: Path) -> None:
    async with engine(tmp_path, hold_after=1) as server:
        acting.enter(ADA)
        server.holds.add_death("runtime_functions.add", "killed by SIGSEGV")
        await server.holds.release("runtime_functions.add", "mended")
        released, held = await log_of(server, target="runtime_functions.add")
        assert (held.actor, held.actor_kind) == ("holds", ActorKind.SERVER)
        assert (released.actor, released.address, released.reason) == ("ada", "10.0.0.7", "mended")

        await server.placements.place("runtime_functions.note", "io", "it waits")
        await server.placements.place("runtime_functions.note", None)
        back, placed = await log_of(server, target="runtime_functions.note")
        assert placed.before == {"pool": "cpu"}
        assert (placed.after, placed.reason) == ({"pool": "io"}, "it waits")
        assert back.after == {"pool": None}

        with pytest.raises(NotFound):
            await server.holds.release("runtime_functions.add")
        assert len(await log_of(server, deeds=(Deed.RELEASE,))) == 1


async def test_what_is_killed_says_by_whom_once_it_is_over(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        acting.enter(ADA)
        accepted = await server.intake.submit(call("half", str(tmp_path / "never")))
        await until_it_runs(server, accepted.task.id)
        await server.tasks.cancel(accepted.task.id, kill=True, reason="it hangs")
        ended = await outcome(server, accepted.task.id)
        (killed,) = await server.read(queries.actions_on_task, ended.seq, 5)
        assert (killed.deed, killed.actor, killed.reason) == (Deed.KILL, "ada", "it hangs")
        assert killed.before == {"state": "running"}

        waiting = await submit(server, "add", 1, 2, delay=3600)
        done = await server.tasks.cancel_all([waiting, accepted.task.id])
        assert done.outcomes == {"cancelled": 1, "already_ended": 1}
        assert (await log_of(server))[0].number == 1
