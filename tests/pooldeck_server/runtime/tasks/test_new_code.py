"""New code on the disk while a server runs: what is taken is run, or waits and says why."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace

from pooldeck_server.domain.actions import ActionFilter, Deed
from pooldeck_server.domain.errors import (
    BadArguments,
    Conflict,
    FunctionUnavailable,
    UnknownFunction,
)
from pooldeck_server.domain.notices import Need, Notice
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.submission import After, Submission
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.domain.tasks.waiting import Help, WaitReason
from pooldeck_server.runtime.lifecycle.startup import running
from pooldeck_server.runtime.server import Server
from pooldeck_server.settings import Settings
from pooldeck_server.store import queries
from pooldeck_server.web.text.waiting import waiting_words
from tests.support.deployed import Deployment
from tests.support.engine import engine, eventually, outcome

POOLS = {
    "cpu": {"kind": "process", "size": 2, "spare": 0},
    "io": {"kind": "thread", "size": 2},
}
OLD = """
    @task(pool="cpu")
    def charge(customer): return f"old: {customer}"
"""
NEW = """
    @task(pool="cpu")
    def charge_card(customer, currency="EUR"): return f"new: {customer} in {currency}"
    @task(pool="io")
    def notify(customer): return f"told {customer}"
"""
RENAMED = """
    @task(pool="cpu")
    def charge(customer, *, currency): return f"new: {customer} in {currency}"
"""


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    made = Deployment(tmp_path / "code", monkeypatch)
    made.write("shop", OLD)
    return made


async def test_a_replaced_worker_decides_nothing_for_the_others(
    tmp_path: Path, deployment: Deployment
) -> None:
    async with shop(tmp_path) as server:
        deployment.write("shop", NEW)
        await server.pools.kill_worker(server.queues["cpu"].pool.staffed[0])
        await eventually(lambda: server.functions.sure_after("cpu") == math.inf)
        old = [await submit(server, "charge", "Ada") for _ in range(6)]
        new = [await submit(server, "charge_card", "Ada") for _ in range(6)]
        assert await results(server, old) == {"old: Ada"}
        assert await results(server, new) == {"new: Ada in EUR"}
        (notice,) = notices(server, "cpu")
        assert (notice.need, notice.number) == (Need.OUTDATED, 1)
        deploys = await server.read(queries.actions, ActionFilter(deeds=(Deed.DEPLOY,)))
        (deploy,) = deploys.items
        assert (deploy.actor, deploy.target_kind) == ("functions", "server")
        assert deploy.after is not None
        assert deploy.after["added"] == ["shop.charge_card", "shop.notify"]
        assert deploy.after["removed"] == ["shop.charge"]


@pytest.mark.soak
async def test_a_call_that_only_a_busy_worker_can_run_holds_up_nobody(
    tmp_path: Path, deployment: Deployment
) -> None:
    flag = tmp_path / "flag"
    held = """
        import pathlib, time
        @task(pool="cpu")
        def charge(customer):
            while not pathlib.Path(customer).exists(): time.sleep(0.01)
            return "old"
    """
    deployment.write("shop", held)
    async with shop(tmp_path) as server:
        deployment.write("shop", NEW)
        await server.pools.kill_worker(server.queues["cpu"].pool.staffed[0])
        await eventually(lambda: server.functions.sure_after("cpu") == math.inf)
        old = [await submit(server, "charge", str(flag)) for _ in range(3)]
        new = [await submit(server, "charge_card", "Ada") for _ in range(6)]
        assert await results(server, new) == {"new: Ada in EUR"}
        flag.touch()
        assert await results(server, old) == {"old"}


async def test_a_function_that_the_pool_does_not_have_yet_is_refused_as_such_and_not_as_unknown(
    tmp_path: Path, deployment: Deployment
) -> None:
    async with shop(tmp_path) as server:
        deployment.write("shop", NEW)
        await restarted(server, "cpu")
        with pytest.raises(FunctionUnavailable, match="workers of pool io have older code"):
            await submit(server, "notify", "Ada")
        with pytest.raises(FunctionUnavailable, match="have loaded is without it"):
            await submit(server, "charge", "Ada")
        assert [notice.need for notice in notices(server, "io")] == [Need.OUTDATED]
        await restarted(server, "io")
        assert await results(server, [await submit(server, "notify", "Ada")]) == {"told Ada"}
        with pytest.raises(UnknownFunction):
            await submit(server, "charge", "Ada")
        assert notices(server, "io") == []


async def test_tasks_that_no_worker_can_run_wait_by_name_and_run_when_their_function_is_back(
    tmp_path: Path, deployment: Deployment
) -> None:
    async with shop(tmp_path) as server:
        await server.pools.pause("cpu")
        waiting = [await submit(server, "charge", "Ada") for _ in range(3)]
        deployment.write("shop", NEW)
        await restarted(server, "cpu")
        await server.pools.resume("cpu")
        card = await submit(server, "charge_card", "Ada")
        assert await results(server, [card]) == {"new: Ada in EUR"}
        assert [(await server.wait(task, 0)).state for task in waiting] == [State.QUEUED] * 3
        (notice,) = notices(server, "cpu")
        assert (notice.need, notice.function, notice.number) == (
            Need.UNSCHEDULABLE,
            "shop.charge",
            3,
        )
        why = server.waiting.of(await server.tasks.get(waiting[0]))
        assert why is not None
        assert (why.reason, why.help) == (WaitReason.UNSCHEDULABLE, Help.SEE_UNSCHEDULABLE)
        assert waiting_words(why) == (
            "No worker of the pool cpu can run it: the code that the workers of pool cpu have "
            "loaded is without it."
        )
        await server.tasks.cancel(waiting[0])
        assert notices(server, "cpu")[0].number == 2
        again = await server.tasks.cancel_unschedulable("cpu", "shop.another")
        assert again.matched == 0
        deployment.write("shop", OLD)
        await restarted(server, "cpu")
        assert await results(server, waiting[1:]) == {"old: Ada"}
        await eventually(lambda: notices(server, "cpu") == [])  # the disk is looked at again


async def test_tasks_whose_arguments_the_new_code_does_not_take_wait_and_others_go_on(
    tmp_path: Path, deployment: Deployment
) -> None:
    async with shop(tmp_path) as server:
        await server.pools.pause("cpu")
        waiting = await submit(server, "charge", "Ada")
        deployment.write("shop", RENAMED)
        await restarted(server, "cpu")
        await server.pools.resume("cpu")
        with pytest.raises(BadArguments, match="currency: missing"):
            await submit(server, "charge", "Ada")
        fitting = await submit(server, "charge", "Ada", currency="SEK")
        assert await results(server, [fitting]) == {"new: Ada in SEK"}
        assert (await server.wait(waiting, 0)).state is State.QUEUED
        (notice,) = notices(server, "cpu")
        assert "takes other arguments" in (notice.reason or "")
        await server.pools.pause("cpu")
        fitting = await submit(server, "charge", "Ada", currency="SEK")
        done = await server.tasks.cancel_unschedulable("cpu", "shop.charge")
        assert done.outcomes == {"cancelled": 1}
        assert (await server.wait(waiting, 0)).state is State.CANCELLED
        assert (await server.wait(fitting, 0)).state is State.QUEUED


@pytest.mark.soak
async def test_what_waited_through_a_deploy_without_the_server_is_checked_as_well(
    tmp_path: Path, deployment: Deployment
) -> None:
    async with shop(tmp_path) as server:
        await server.pools.pause("cpu")
        waiting = await submit(server, "charge", "Ada")
    deployment.write("shop", RENAMED)
    async with shop(tmp_path) as server:
        await server.pools.resume("cpu")
        await eventually(lambda: bool(server.queues["cpu"].unschedulable.counts))
        assert (await server.wait(waiting, 0)).state is State.QUEUED


@pytest.mark.soak
async def test_more_tasks_than_memory_holds_that_cannot_run_keep_nobody_from_running(
    tmp_path: Path, deployment: Deployment
) -> None:
    async with engine(tmp_path, functions=("shop",), pools=POOLS, memory_queue=100) as server:
        await whole(server)
        await server.pools.pause("cpu")
        many = [made("charge", "Ada") for _ in range(350)]
        await server.intake.submit_batch(many)
        deployment.write("shop", NEW)
        await restarted(server, "cpu")
        await server.pools.resume("cpu")
        card = await submit(server, "charge_card", "Ada")
        assert await results(server, [card]) == {"new: Ada in EUR"}
        await eventually(
            lambda: dict(server.queues["cpu"].unschedulable.counts) == {"shop.charge": 350}
        )


async def test_a_restart_brings_modules_and_commands_that_the_settings_name_by_now(
    tmp_path: Path, deployment: Deployment
) -> None:
    config = tmp_path / "pooldeck.toml"
    pools = '[pools.cpu]\nkind = "process"\nsize = 1\nspare = 0\n'
    config.write_text('functions = "shop"\n' + pools)
    async with running(Settings(data=tmp_path / "data", config=config)) as server:
        await whole(server)
        deployment.write("stock", "@task\ndef count(): return 3")
        command = '[commands.hello]\nrun = ["echo", "hello"]\n'
        config.write_text('functions = "shop,stock"\n' + pools + command)
        await restarted(server, "cpu")
        count = (await server.intake.submit(Submission("stock.count"))).task.id
        assert await results(server, [count]) == {3}
        hello = (await server.intake.submit(Submission("commands.hello"))).task.id
        assert (await outcome(server, hello)).state is State.SUCCEEDED


async def test_a_file_that_changes_on_the_disk_is_noticed_without_any_new_worker(
    tmp_path: Path, deployment: Deployment
) -> None:
    async with shop(tmp_path) as server:
        assert notices(server, "cpu") == []
        deployment.write("shop", NEW)
        await eventually(lambda: notices(server, "cpu") != [])
        (notice,) = notices(server, "cpu")
        assert (notice.need, notice.number) == (Need.OUTDATED, 2)
        assert notice.file == str(deployment.folder / "shop.py"), server.health.pool("cpu")


async def test_tasks_go_only_to_workers_whose_types_fit_as_well(
    tmp_path: Path, deployment: Deployment
) -> None:
    source = """
        @task(pool="cpu")
        def charge(customer: {kind}): return "{kind}"
    """
    deployment.write("shop", source.format(kind="int"))
    async with shop(tmp_path) as server:
        deployment.write("shop", source.format(kind="str"))
        await server.pools.kill_worker(server.queues["cpu"].pool.staffed[0])
        await eventually(lambda: server.functions.sure_after("cpu") == math.inf)
        numbers = [await submit(server, "charge", 1) for _ in range(6)]
        names = [await submit(server, "charge", "Ada") for _ in range(6)]
        assert await results(server, numbers) == {"int"}
        assert await results(server, names) == {"str"}


async def test_a_command_that_changes_counts_from_the_restart_with_all_that_is_said_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Deployment(tmp_path / "code", monkeypatch)
    config = tmp_path / "pooldeck.toml"
    command = """
        [commands.hi]
        run = ["echo", "{{who}}"]
        {options}
        [commands.hi.parameters]
        who = {{ type = "{kind}" }}
    """
    config.write_text(command.format(options="", kind="integer"))
    async with running(Settings(data=tmp_path / "data", config=config)) as server:
        await whole(server)
        config.write_text(command.format(options='sensitive = ["who"]', kind="string"))
        for pool in server.queues:
            await restarted(server, pool)
        submission = Submission("commands.hi", kwargs=Raw(b'{"who": "Ada"}'))
        task = (await server.intake.submit(submission)).task
        assert (await outcome(server, task.id)).state is State.SUCCEEDED
        assert "Ada" not in (task.kwargs or "")


async def test_what_was_taken_once_stays_taken_whatever_the_code_is_by_now(
    tmp_path: Path, deployment: Deployment
) -> None:
    async with shop(tmp_path) as server:
        first = await server.intake.submit(made("charge", "Ada"), "key")
        batch = [replace(made("charge", name), idempotency_key=name) for name in ("Bo", "Cy")]
        ids = await server.intake.submit_batch(batch)
        deployment.write("shop", NEW)
        for pool in server.queues:
            await restarted(server, pool)
        again = await server.intake.submit(made("charge", "Ada"), "key")
        assert (again.task.id, again.created) == (first.task.id, False)
        fresh = replace(made("charge_card", "Di"), idempotency_key="Di")
        assert (await server.intake.submit_batch([*batch, fresh, fresh]))[:2] == ids
        with pytest.raises(UnknownFunction):
            await server.intake.submit(made("charge", "Ada"), "another key")


async def test_a_task_after_others_waits_if_the_code_takes_other_arguments_by_then(
    tmp_path: Path, deployment: Deployment
) -> None:
    async with shop(tmp_path) as server:
        await server.pools.pause("cpu")
        before = await submit(server, "charge", "Ada")
        after = replace(made("charge", "Bo"), after=(After(before),))
        waiting = (await server.intake.submit(after)).task.id
        await server.pools.resume("cpu")
        deployment.write("shop", RENAMED)
        await outcome(server, before)
        await restarted(server, "cpu")
        deployment.write("shop", OLD)
        await restarted(server, "cpu")
        assert await results(server, [waiting]) == {"old: Bo"}


async def test_settings_that_are_gone_or_wrong_restart_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Deployment(tmp_path / "code", monkeypatch).write("shop", OLD)
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "pooldeck.toml"
    config.write_text('functions = "shop"\n')
    async with running(Settings(data=tmp_path / "data")) as server:
        await whole(server)
        before = set(server.queues["cpu"].pool.pids)
        config.write_text("functions = [")
        with pytest.raises(Conflict, match="nothing was restarted"):
            await server.pools.restart("cpu")
        config.unlink()
        with pytest.raises(Conflict, match=r"pooldeck\.toml is gone"):
            await server.pools.restart("cpu")
        assert set(server.queues["cpu"].pool.pids) == before


@asynccontextmanager
async def shop(folder: Path) -> AsyncIterator[Server]:
    """Run an engine with the module `shop`, all of whose workers are there."""
    async with engine(folder, functions=("shop",), pools=POOLS) as server:
        await whole(server)
        yield server


def made(function: str, *args: Any, **kwargs: Any) -> Submission:
    return Submission(
        f"shop.{function}", Raw(msgspec.json.encode(args)), Raw(msgspec.json.encode(kwargs))
    )


async def submit(server: Server, function: str, *args: Any, **kwargs: Any) -> str:
    return (await server.intake.submit(made(function, *args, **kwargs))).task.id


async def results(server: Server, tasks: list[str]) -> set[Any]:
    ended: list[StoredTask] = [await outcome(server, task) for task in tasks]
    assert {task.state for task in ended} == {State.SUCCEEDED}, [task.error for task in ended]
    return {msgspec.json.decode(task.result or "null") for task in ended}


async def whole(server: Server) -> None:
    """Return when all workers are there."""
    pools = [queue.pool for queue in server.queues.values()]
    await eventually(lambda: all(len(pool.staffed) == pool.spec.workers for pool in pools))


async def restarted(server: Server, name: str) -> None:
    """Restart a pool, and return when none of its workers of before is left."""
    pool = server.queues[name].pool
    before, number = set(pool.pids), len(pool.staffed)
    await server.pools.restart(name)
    await eventually(lambda: len(pool.staffed) == number and before.isdisjoint(pool.pids))


def notices(server: Server, pool: str) -> list[Notice]:
    return list(server.health.pool(pool).notices)
