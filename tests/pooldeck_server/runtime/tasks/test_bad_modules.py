"""A module that cannot be loaded costs its own functions and nothing else, and is named."""

import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from pooldeck_server.domain.errors import FunctionUnavailable, InvalidRequest, UnknownFunction
from pooldeck_server.domain.notices import Need, Notice
from pooldeck_server.domain.readiness import Readiness
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.submission import Submission
from pooldeck_server.runtime.server import Server
from tests.support.deployed import Deployment
from tests.support.engine import engine, eventually, outcome

POOLS = {
    "cpu": {"kind": "process", "size": 2, "spare": 0},
    "io": {"kind": "thread", "size": 1},
}
BOTH = ("good", "bad")
GOOD = """
    @task(pool="cpu")
    def balance(): return 700
"""
WELL = """
    @task(pool="cpu")
    def distance(): return 5
"""
TAKES_DOWN = {
    "aborts": ("import os; os.abort()", "the process that imported it was killed by SIGABRT"),
    "leaves": ("import os; os._exit(3)", "the process that imported it exited with code 3"),
    "hangs": ("import time; time.sleep(600)", "its import had not ended after 10 seconds"),
}
BAD = {
    "needs a package that nobody has": ("import nobody_has_it", "ModuleNotFoundError"),
    "is not Python": ("def distance(:", "SyntaxError"),
    "leaves": ("import sys; sys.exit('no licence')", "SystemExit: no licence"),
    "has a bad mark": ("@task(timeout='soon')\ndef distance(): ...", "TypeError: @task(timeout="),
    "fails by a class of its own": (
        "class Odd(BaseException):\n    def __str__(self): raise self\nraise Odd",
        "Odd",
    ),
}


def some_in_soak(kinds: Iterable[str], *usual: str) -> list[Any]:
    """Return test parameters of which only the `usual` ones are tried each time."""
    rest = pytest.mark.soak
    return [pytest.param(kind, marks=[] if kind in usual else [rest]) for kind in kinds]


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    made = Deployment(tmp_path / "code", monkeypatch)
    made.write("good", GOOD)
    return made


@pytest.mark.parametrize(
    "how", some_in_soak(BAD, "needs a package that nobody has", "leaves", "has a bad mark")
)
async def test_the_others_are_served_and_the_bad_one_is_named_with_its_error(
    tmp_path: Path, deployment: Deployment, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    source, error = BAD[how]
    deployment.write("bad", source)
    async with engine(tmp_path, functions=BOTH, pools=POOLS) as server:
        assert await result(server, "good.balance") == "700"
        with pytest.raises(FunctionUnavailable, match="the module bad could not be loaded") as why:
            await submit(server, "bad.distance")
        assert error in str(why.value)
        await eventually(lambda: module_notices(server) != [])
        (notice,) = module_notices(server)
        assert (notice.module, error in (notice.reason or "")) == ("bad", True)
        assert server.readiness is Readiness.READY
        with pytest.raises(UnknownFunction, match="bad could not be loaded, and may have it"):
            await submit(server, "elsewhere")
    lines = [each.message for each in caplog.records if "the module bad" in each.message]
    assert len(lines) == 1
    assert error in lines[0]
    assert "functions.py" not in lines[0]  # the place is the user's, also of what `@task` refuses


async def test_functions_known_from_before_are_unavailable_and_their_tasks_wait(
    tmp_path: Path, deployment: Deployment
) -> None:
    deployment.write("bad", WELL)
    async with engine(tmp_path, functions=BOTH, pools=POOLS) as server:
        await server.pools.pause("cpu")
        waiting = await submit(server, "bad.distance")
    deployment.write("bad", "import nobody_has_it")
    async with engine(tmp_path, functions=BOTH, pools=POOLS) as server:
        await server.pools.resume("cpu")
        assert await result(server, "good.balance") == "700"
        problem = server.catalogue.get("bad.distance").problem or ""
        assert problem.startswith("the module bad could not be loaded: ModuleNotFoundError")
        with pytest.raises(FunctionUnavailable):
            await submit(server, "bad.distance")
        assert (await server.wait(waiting, 0)).state is State.QUEUED
        await eventually(lambda: Need.UNSCHEDULABLE in needs(server, "cpu"))
        deployment.write("bad", WELL)
        for name in server.queues:
            await server.pools.restart(name)
        assert (await outcome(server, waiting)).result == "5"
        await eventually(lambda: module_notices(server) == [])


async def test_a_name_of_two_functions_is_refused_and_all_others_are_served(
    tmp_path: Path, deployment: Deployment
) -> None:
    deployment.write(
        "bad", "@task(name='good.balance')\ndef twin(): ...\n@task\ndef own(): return 1"
    )
    async with engine(tmp_path, functions=BOTH, pools=POOLS) as server:
        assert await result(server, "bad.own") == "1"
        with pytest.raises(InvalidRequest, match=r"two functions are called good\.balance"):
            await submit(server, "good.balance")


@pytest.mark.parametrize("how", some_in_soak(TAKES_DOWN, "aborts"))
async def test_a_module_that_takes_workers_down_is_named_and_left_out(
    tmp_path: Path, deployment: Deployment, how: str
) -> None:
    source, error = TAKES_DOWN[how]
    deployment.write("bad", source)
    async with engine(tmp_path, functions=BOTH, pools=POOLS, boot_seconds=10.0) as server:
        assert await result(server, "good.balance") == "700"
        with pytest.raises(FunctionUnavailable, match=error):
            await submit(server, "bad.distance")
        if how == "hangs":
            assert "bad.py" in (server.catalogue.failures["bad"].error.traceback or "")
        deployment.write("bad", WELL)
        before = {pid for queue in server.queues.values() for pid in queue.pool.pids}
        for name in server.queues:
            await server.pools.restart(name)
        await eventually(lambda: before.isdisjoint(staffed(server)))
        await eventually(lambda: module_notices(server) == [])
        assert await result(server, "bad.distance") == "5"


@pytest.mark.soak
async def test_a_module_is_not_to_blame_for_workers_that_somebody_ends_while_they_import_it(
    tmp_path: Path, deployment: Deployment
) -> None:
    flag = tmp_path / "flag"
    wait = f"import pathlib, time\nwhile not pathlib.Path({str(flag)!r}).exists(): time.sleep(0.01)"
    deployment.write("bad", wait)
    starting = Readiness.STARTING
    async with engine(tmp_path, ready=starting, functions=BOTH, pools=POOLS) as server:
        pool = server.queues["io"].pool
        ended: set[int] = set()
        for _ in range(3):
            await eventually(lambda: not ended.issuperset(pool.pids.values()))
            pid = next(pid for pid in pool.pids.values() if pid not in ended)
            ended.add(pid)
            os.kill(pid, signal.SIGTERM)
        await eventually(lambda: not ended.issuperset(pool.pids.values()))
        assert pool.state == "running"
        flag.touch()
        await eventually(lambda: len(staffed(server)) == 3)
        assert module_notices(server) == []


async def test_a_restart_ends_where_a_module_cannot_be_loaded_any_more_and_workers_go_on(
    tmp_path: Path, deployment: Deployment
) -> None:
    deployment.write("bad", WELL)
    async with engine(tmp_path, functions=BOTH, pools=POOLS) as server:
        pool = server.queues["cpu"].pool
        await eventually(lambda: len(pool.staffed) == 2)
        before = set(pool.staffed)
        deployment.write("bad", "import nobody_has_it")
        await server.pools.restart("cpu")
        await eventually(lambda: pool.reason is not None)
        assert "the module bad could not be loaded: ModuleNotFoundError" in (pool.reason or "")
        assert set(pool.staffed) == before
        assert Need.NO_NEW_WORKERS in needs(server, "cpu")
        assert await result(server, "bad.distance") == "5"


async def test_who_dies_is_replaced_by_one_that_has_what_can_be_loaded(
    tmp_path: Path, deployment: Deployment
) -> None:
    deployment.write("bad", WELL)
    async with engine(tmp_path, functions=BOTH, pools=POOLS) as server:
        pool = server.queues["cpu"].pool
        await eventually(lambda: len(pool.staffed) == 2)
        deployment.write("bad", "import nobody_has_it")
        await server.pools.kill_worker(pool.staffed[0])
        await eventually(lambda: len(pool.staffed) == 2)
        assert await result(server, "good.balance") == "700"
        assert await result(server, "bad.distance") == "5"


async def test_where_nothing_can_be_loaded_those_that_run_go_on_and_it_is_said_at_once(
    tmp_path: Path, deployment: Deployment
) -> None:
    async with engine(tmp_path, functions=("good",), pools=POOLS) as server:
        pool = server.queues["cpu"].pool
        await eventually(lambda: len(staffed(server)) == 3)
        deployment.write("good", "import nobody_has_it")
        first, second = pool.staffed
        await server.pools.kill_worker(first)
        await eventually(lambda: pool.reason is not None)
        assert (pool.state, pool.staffed) == ("running", [second])
        assert await result(server, "good.balance") == "700"
        await server.pools.kill_worker(second)
        await eventually(lambda: not pool.staffed)
        assert pool.state == "broken"
        assert server.readiness is Readiness.READY, "the other pool goes on"
        await server.pools.kill_worker(server.queues["io"].pool.staffed[0])
        await eventually(lambda: server.readiness is Readiness.BROKEN)
        waiting = await submit(server, "good.balance")
        deployment.write("good", GOOD)
        await server.pools.restart("cpu")
        assert (await outcome(server, waiting)).result == "700"


@pytest.mark.usefixtures("deployment")
async def test_a_server_whose_workers_cannot_start_says_that_and_not_that_it_starts(
    tmp_path: Path,
) -> None:
    pools = {name: pool | {"initializer": "good.absent"} for name, pool in POOLS.items()}
    async with engine(tmp_path, ready=Readiness.BROKEN, functions=("good",), pools=pools) as server:
        with pytest.raises(FunctionUnavailable, match="no worker can start"):
            await submit(server, "good.balance")


async def submit(server: Server, function: str) -> str:
    return (await server.intake.submit(Submission(function))).task.id


async def result(server: Server, function: str) -> str | None:
    return (await outcome(server, await submit(server, function))).result


def needs(server: Server, pool: str) -> set[Need]:
    return {notice.need for notice in server.health.pool(pool).notices}


def staffed(server: Server) -> set[str]:
    return {worker for queue in server.queues.values() for worker in queue.pool.staffed}


def module_notices(server: Server) -> list[Notice]:
    return [each for each in server.frames.latest().notices if each.need is Need.FAILED_MODULE]
