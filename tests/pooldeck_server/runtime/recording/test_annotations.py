"""What is done to pools and what befalls them is noted, with the reason that was given."""

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from pooldeck.hosts.model import GoneBy
from pooldeck.kinds import PoolKind
from pooldeck_server.domain.clock import ManualClock
from pooldeck_server.domain.errors import NotFound
from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.runtime.recording.annotations import Annotations
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from pooldeck_server.store.database import Database, Reader
from tests.support.engine import BOUND, call, engine, eventually, outcome, submit
from tests.support.hosts import host, hosted

POOL = PoolHealth(
    name="cpu",
    kind=PoolKind.PROCESS,
    size=1,
    state="running",
    reason="it fails\nand this is the traceback",
    busy=0,
    queued=0,
    oldest_wait=None,
    incidents=0,
    workers=(),
)


async def noted(server: Server, kind: str) -> list[StoredAnnotation]:
    """Return the annotations of a kind, oldest first, as soon as there is one."""
    async with asyncio.timeout(BOUND):
        while True:
            kept = await server.read(queries.annotations)
            if found := [one for one in kept[::-1] if one.kind == kind]:
                return found
            await asyncio.sleep(0.01)


def parts(
    annotation: StoredAnnotation,
) -> tuple[str | None, str | None, dict[str, Any], str | None]:
    return annotation.pool, annotation.subject, annotation.data, annotation.reason


async def test_a_start_says_how_the_run_before_ended(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        (first,) = await noted(server, "start")
        assert parts(first) == (None, None, {"was_clean": True, "down_seconds": None}, None)
    async with engine(tmp_path) as server:
        _, second = await noted(server, "start")
        assert second.data["was_clean"] is True
        assert 0 <= second.data["down_seconds"] < BOUND


async def test_a_resize_says_the_sizes_before_and_after(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        await server.pools.resize("io", 6)
        (resize,) = await noted(server, "resize")
        assert parts(resize) == ("io", None, {"before": 4, "after": 6}, None)


async def test_what_is_done_to_a_pool_is_noted_in_order_and_with_its_reason(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        await server.pools.pause("io")
        await server.pools.resume("io")
        await server.pools.restart("io", "new code")
        await server.pools.drain("io", "maintenance")
        await noted(server, "drain")
        found = await server.read(queries.annotations, pool="io")
        assert [(one.kind, one.reason) for one in found[::-1] if one.pool == "io"] == [
            ("pause", None),
            ("resume", None),
            ("restart", "new code"),
            ("drain", "maintenance"),
        ]


async def test_a_killed_worker_is_noted_and_one_that_is_not_there_is_not(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        worker = server.health.pool("cpu").workers[0].id
        await server.pools.kill_worker(worker, "it leaks")
        with pytest.raises(NotFound):
            await server.pools.kill_worker("cpu-999", "it leaks")
        (kill,) = await noted(server, "kill_worker")
        assert parts(kill) == ("cpu", worker, {}, "it leaks")


@pytest.mark.parametrize(("pool", "became"), [("cpu", "killed"), ("io", "abandoned")])
async def test_a_killed_task_is_noted_with_what_became_of_it(
    tmp_path: Path, pool: str, became: str
) -> None:
    async with engine(tmp_path / "data") as server:
        running = await submit(server, "heed", str(tmp_path / "started"), pool=pool)
        await eventually((tmp_path / "started").exists)
        await server.tasks.cancel(running, kill=True, reason="it hangs")
        (kill,) = await noted(server, "kill_task")
        about = {"function": "runtime_functions.heed", "outcome": became}
        assert parts(kill) == (pool, running, about, "it hangs")
        assert kill.href == f"/tasks/{running}"


async def test_many_killed_tasks_are_noted_one_by_one_and_those_that_waited_are_not(
    tmp_path: Path,
) -> None:
    async with engine(tmp_path / "data") as server:
        running = await submit(server, "heed", str(tmp_path / "started"), pool="cpu")
        await eventually((tmp_path / "started").exists)
        waiting = await submit(server, "add", 1, 2, pool="cpu")
        done = await server.tasks.cancel_all([waiting, running], kill=True, reason="all")
        assert done.outcomes == {"killed": 1, "cancelled": 1}
        (kill,) = await noted(server, "kill_task")
        assert (kill.subject, kill.reason) == (running, "all")


async def test_a_crash_is_noted_with_its_incident(tmp_path: Path) -> None:
    async with engine(tmp_path) as server:
        await outcome(server, await submit(server, "leave", 3, pool="cpu"))
        (crash,) = await noted(server, "crash")
        (incident,) = (await server.read(queries.incidents)).items
        assert (crash.pool, crash.subject) == ("cpu", incident.worker)
        assert crash.data == {"incident": incident.id, "cause": incident.cause}
        assert crash.href == f"/incidents/{incident.id}"


async def test_a_function_that_is_put_on_hold_and_released_is_noted(tmp_path: Path) -> None:
    async with engine(tmp_path, hold_after=1) as server:
        await server.intake.submit(call("leave", 3, pool="cpu"))
        (hold,) = await noted(server, "hold")
        assert parts(hold) == (None, "runtime_functions.leave", {"deaths": 1}, None)
        await server.holds.release("runtime_functions.leave")
        (release,) = await noted(server, "release")
        assert release.subject == "runtime_functions.leave"


async def test_a_pool_that_becomes_broken_is_noted_with_the_first_line_of_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POOLDECK_TESTS_FLAG", str(tmp_path / "flag"))
    pools = {
        "io": {"kind": "thread", "size": 1},
        "cpu": {"kind": "process", "size": 1, "initializer": "runtime_functions.need_flag"},
    }

    async with engine(tmp_path / "data", pools=pools) as server:
        await eventually(lambda: server.health.pool("cpu").state == "broken")
        (broken,) = await noted(server, "broken")
        assert broken.pool == "cpu"
        assert broken.data["said"] in (server.health.pool("cpu").reason or "")
        assert broken.data["said"]


def test_a_pool_is_noted_as_broken_once_and_again_when_it_was_mended(tmp_path: Path) -> None:
    async def story() -> list[StoredAnnotation]:
        database = Database.open(tmp_path / "pooldeck.sqlite3", "normal")
        recorder = Recorder(database, 100)
        annotations = Annotations(recorder=recorder, clock=ManualClock())
        for state in ("running", "broken", "broken", "running", "broken"):
            annotations.annotate_broken([replace(POOL, state=state)])
        recorder.start()
        await recorder.stop()
        with closing(database), closing(Reader(database, threads=1)) as reader:
            return reader.call(queries.annotations)

    assert [parts(one) for one in asyncio.run(story())] == [
        ("cpu", None, {"said": "it fails"}, None)
    ] * 2


def test_each_boot_of_a_host_comes_once_and_is_gone_once(tmp_path: Path) -> None:
    gone, refused = host(state="gone", gone_by=GoneBy.LEASE), host("b", "refused", boot="")

    async def story() -> list[StoredAnnotation]:
        database = Database.open(tmp_path / "pooldeck.sqlite3", "normal")
        recorder = Recorder(database, 100)
        annotations = Annotations(recorder=recorder, clock=ManualClock())
        for hosts in ([host(), refused], [host()], [gone], [gone, host(boot="next")], []):
            annotations.annotate_hosts([hosted(*hosts)])
        recorder.start()
        await recorder.stop()
        with closing(database), closing(Reader(database, threads=1)) as reader:
            return reader.call(queries.annotations)

    assert [(one.kind, *parts(one)[:3]) for one in asyncio.run(story())[::-1]] == [
        ("host_came", "big", "host-a", {}),
        ("host_gone", "big", "host-a", {"gone_by": "lease"}),
        ("host_came", "big", "host-a", {}),
    ]
