"""What a task changes, leaves running or gathers: no neighbour pays for it, and nothing is lost."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.submission import Submission
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.runtime.lifecycle.ending import Ending
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from tests.support.deployed import Deployment
from tests.support.engine import BOUND, engine, eventually, outcome

ONE: dict[str, Any] = {"kind": "process", "size": 1, "spare": 0}
GATHERS = """
    import atexit
    import tempfile
    from pathlib import Path

    _here = Path.cwd()
    _scratch = tempfile.TemporaryDirectory(prefix="scratch-", dir=_here)
    _gathered = []

    @atexit.register
    def _send():
        with (_here / "sent.txt").open("a") as sent:
            sent.writelines(f"{event}\\n" for event in _gathered)

    @task(pool="cpu")
    def track(event: str) -> None:
        _gathered.append(event)
"""
HANGS = """
    import atexit, threading

    @task(pool="cpu")
    def hangs() -> None:
        atexit.register(threading.Event().wait)
"""
NEIGHBOURS = """
    import os
    import signal
    import threading
    import time

    @task(pool="cpu")
    def export_for(region: str) -> None:
        os.environ["SHOP_REGION"] = region

    @task(pool="cpu")
    def region() -> str:
        return os.environ.get("SHOP_REGION", "none")

    @task(pool="cpu")
    def rings() -> None:
        signal.alarm(1)

    @task(pool="cpu")
    def speaks_late() -> None:
        threading.Timer(0.5, print, ["words of another task"]).start()

    @task(pool="cpu")
    def kills_late() -> None:
        threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGKILL]).start()

    @task(pool="cpu")
    def adds_up(seconds: float = 1.5) -> str:
        time.sleep(seconds)
        return "added up"
"""
PROGRAM = """
    import sys
    from argparse import ArgumentParser

    @task
    def main(code: object) -> None:
        sys.exit(code)

    @task
    async def later(code: object) -> None:
        raise SystemExit(code)

    @task
    def helps() -> None:
        ArgumentParser().parse_args(["--help"])

    @task
    def misused() -> None:
        ArgumentParser(prog="report").parse_args(["--nonsense"])
"""

BAD_ENDS: tuple[tuple[str, object, str], ...] = (
    ("main", 1, "exit code 1"),
    ("main", "no input", "no input"),
    ("later", 3, "exit code 3"),
)


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    return Deployment(tmp_path / "code", monkeypatch)


async def submit(server: Server, function: str, *args: Any, **fields: Any) -> str:
    encoded = msgspec.Raw(msgspec.json.encode(args))
    return (await server.intake.submit(Submission(function, encoded, **fields))).task.id


async def ended(server: Server, function: str, *args: Any, **fields: Any) -> StoredTask:
    return await outcome(server, await submit(server, function, *args, **fields))


async def said(server: Server, task: str) -> list[str]:
    return [line.message for line in await server.read(queries.logs, task)]


async def test_what_is_gathered_for_the_end_of_the_process_is_sent_at_every_orderly_end(
    tmp_path: Path, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    deployment.write("gathers", GATHERS)
    pools = {"cpu": {**ONE, "max_tasks_per_worker": 2, "leave_seconds": 20.0}}
    async with engine(tmp_path / "data", functions=("gathers",), pools=pools) as server:
        for event in "abc":
            assert (await ended(server, "gathers.track", event)).state is State.SUCCEEDED
        await server.pools.restart("cpu")
        await eventually(lambda: (tmp_path / "sent.txt").read_text() == "a\nb\nc\n")
        await ended(server, "gathers.track", "d")
    assert (tmp_path / "sent.txt").read_text() == "a\nb\nc\nd\n"
    assert list(tmp_path.glob("scratch-*")) == []  # noqa: ASYNC240 - nothing runs beside it


async def test_who_hurries_the_end_does_not_wait_for_workers_that_hang_at_theirs(
    tmp_path: Path, deployment: Deployment
) -> None:
    deployment.write("hangs", HANGS)
    pools = {"cpu": {**ONE, "leave_seconds": 600.0}}
    ending = Ending(600.0)
    options: dict[str, Any] = {"functions": ("hangs",), "pools": pools, "ending": ending}
    async with engine(tmp_path / "data", **options) as server:
        await ended(server, "hangs.hangs")
        ending.begin()
        ending.hurry()
        await asyncio.wait_for(ending.finished.wait(), BOUND)


async def test_no_neighbour_pays_for_what_a_task_leaves_behind(
    tmp_path: Path, deployment: Deployment
) -> None:
    deployment.write("neighbours", NEIGHBOURS)
    pools = {"cpu": ONE}
    async with engine(tmp_path / "data", functions=("neighbours",), pools=pools) as server:
        assert (await ended(server, "neighbours.region")).result == '"none"'
        await ended(server, "neighbours.export_for", "customer-a")
        assert (await ended(server, "neighbours.region")).result == '"none"'
        await ended(server, "neighbours.rings")
        assert (await ended(server, "neighbours.adds_up")).result == '"added up"'
        speaks = await ended(server, "neighbours.speaks_late")
        adds_up = await ended(server, "neighbours.adds_up")
        assert adds_up.result == '"added up"'
        assert await said(server, adds_up.id) == []
        assert any("left behind: thread" in line for line in await said(server, speaks.id))
        assert (await server.read(queries.incidents, 10)).items == ()


async def test_a_task_that_runs_when_an_earlier_one_kills_the_worker_is_not_accused(
    tmp_path: Path, deployment: Deployment
) -> None:
    deployment.write("neighbours", NEIGHBOURS)
    options: dict[str, Any] = {"pools": {"cpu": ONE}, "hold_after": 1}
    async with engine(tmp_path / "data", functions=("neighbours",), **options) as server:
        kills = await ended(server, "neighbours.kills_late")
        adds_up = await ended(server, "neighbours.adds_up", 20.0)
        assert adds_up.state is State.LOST
        assert kills.id in (adds_up.error or "")
        (incident,) = (await server.read(queries.incidents, 10)).items
        assert incident.culprit is None
        assert [each.task for each in incident.suspects] == [adds_up.id, kills.id]
        assert server.holds.all() == ()
        assert (await ended(server, "neighbours.adds_up", 0.0)).state is State.SUCCEEDED


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_worker_that_is_ended_from_outside_holds_no_function(
    tmp_path: Path, deployment: Deployment, number: int
) -> None:
    deployment.write("neighbours", NEIGHBOURS)
    options: dict[str, Any] = {"pools": {"cpu": ONE}, "hold_after": 1}
    async with engine(tmp_path / "data", functions=("neighbours",), **options) as server:
        running = await submit(server, "neighbours.adds_up", 20.0)
        pool = server.queues["cpu"].pool
        await eventually(lambda: any(each.calls for each in pool.snapshot().workers))
        os.kill(next(iter(pool.pids.values())), number)
        assert (await outcome(server, running)).state is State.LOST
        assert server.holds.all() == ()


async def test_the_main_of_a_program_ends_as_a_task_as_it_does_alone(
    tmp_path: Path, deployment: Deployment
) -> None:
    deployment.write("program", PROGRAM)
    pools = {"cpu": ONE, "io": {"kind": "thread", "size": 1}}
    async with engine(tmp_path / "data", functions=("program",), pools=pools) as server:
        workers = [set(queue.pool.pids) for queue in server.queues.values()]
        for pool in pools:
            for function, well in [("main", 0), ("main", None), ("later", 0)]:
                good = await ended(server, f"program.{function}", well, pool=pool)
                assert (good.state, good.result) == (State.SUCCEEDED, "null")
            helps = await ended(server, "program.helps", pool=pool)
            assert (helps.state, helps.result) == (State.SUCCEEDED, "null")
            assert (await said(server, helps.id))[0].startswith("usage:")
            bad: list[tuple[str, object, str]] = [
                ("main", 1, "exit code 1"),
                ("main", "no input", "no input"),
                ("later", 3, "3"),
            ]
            for function, code, words in bad:
                failed = await ended(server, f"program.{function}", code, pool=pool)
                assert failed.state is State.FAILED
                assert words in (failed.error or "")
            misused = await ended(server, "program.misused", pool=pool)
            assert "exit code 2" in (misused.error or "")
            assert any("--nonsense" in line for line in await said(server, misused.id))
        assert workers == [set(queue.pool.pids) for queue in server.queues.values()]
