"""What a start does with tasks that hosts of the run before it may have: it waits for a word."""

import asyncio
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from pooldeck.hosts.wire import Gone
from pooldeck.outcome import Measurement, Outcome
from pooldeck.protocol import Finished
from pooldeck_server.domain.clock import SystemClock
from pooldeck_server.domain.errors import Conflict
from pooldeck_server.domain.pools.attachments import Attachment
from pooldeck_server.domain.pools.controls import ServerRun
from pooldeck_server.domain.tasks.changes import Claim, Start
from pooldeck_server.domain.tasks.ids import TaskIds
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import NewTask, StoredTask
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Database
from tests.support.engine import engine, eventually

CLOCK = SystemClock()
BOOTS = ("aaaaaaaa", "bbbbbbbb")
POOLS = {
    "io": {"kind": "thread", "size": 1},
    "cpu": {"kind": "process", "size": 1, "hosts": {"engine": "manual"}},
}
HOSTS = {"listen": "127.0.0.1:0"}
PLAIN = NewTask(
    seq=0,
    id="",
    function="runtime_functions.add",
    pool="cpu",
    state=State.QUEUED,
    priority=0,
    created_at=0,
    args="[1,2]",
    kwargs="{}",
)


def leave_behind(data: Path, lease: float = 3600.0) -> list[str]:
    """Make the database of a server that was cut off, with hosts; return the ids of its tasks.

    The first ran on a host, the second too and is idempotent, the third was handed over.
    """
    ids = TaskIds(CLOCK)
    options = (None, '{"idempotent":true}', None)
    tasks = [
        replace(PLAIN, seq=seq, id=ids.next(), created_at=CLOCK.now(), options=each)
        for seq, each in enumerate(options, 1)
    ]
    database = Database.open(data / "pooldeck.sqlite3")
    with database.transaction() as tx:
        records.begin_run(tx, ServerRun("0" * 16, 1, CLOCK.now()))
        for boot in BOOTS:
            attachment = Attachment(boot, "cpu", f"host-{boot[0]}", 1, lease, 0.5, CLOCK.now())
            records.attach_host(tx, attachment)
        records.insert_tasks(tx, tasks)
        records.claim(tx, [Claim(task.seq, 1) for task in tasks])
        starts = [Start(seq, 1, CLOCK.now(), 0.0, "cpu@host-a.aaaaaa-1", 1, None) for seq in (1, 2)]
        records.start(tx, starts)
    database.close()
    return [task.id for task in tasks]


def gone(boot: str, **known: object) -> Gone:
    """Return what the next process of a host says of one before it."""
    return replace(Gone(boot, "", 1, is_whole=True), **known)


async def found(server: Server, ids: list[str]) -> list[StoredTask]:
    return [await server.tasks.get(each) for each in ids]


async def decided(server: Server) -> None:
    """Return when nothing waits for a word any more, and nobody is remembered who could say it."""
    await eventually(lambda: not any(seq in server.hosting.earlier for seq in (1, 2, 3)))
    while await server.read(queries.attachments):  # noqa: ASYNC110 - only asking tells
        await asyncio.sleep(0.01)


def told(server: Server) -> tuple[int, int, int, int, int]:
    report = server.run.report
    assert report is not None
    return report.found, report.not_begun, report.rerun, report.lost, report.on_hosts


async def test_until_a_word_comes_nothing_is_decided_and_nothing_can_be_done(
    tmp_path: Path,
) -> None:
    ids = leave_behind(tmp_path)
    async with engine(tmp_path, pools=POOLS, hosts=HOSTS) as server:
        for task in ids:
            with pytest.raises(Conflict, match="was with a host when the server before"):
                await server.tasks.cancel(task, kill=True)
        assert (await server.tasks.cancel_all(ids)).outcomes == {"conflict": 3}
        assert [task.state for task in await found(server, ids)] == ["running"] * 2 + ["queued"]
        assert told(server) == (0, 0, 0, 0, 3)


async def test_what_no_host_speaks_of_is_lost_when_the_lease_is_over_and_not_before(
    tmp_path: Path,
) -> None:
    ids = leave_behind(tmp_path, lease=1.0)
    before = time.monotonic()
    async with engine(tmp_path, pools=POOLS, hosts=HOSTS) as server:
        await decided(server)
        assert time.monotonic() - before >= 1.5
        ran, rerun, claimed = await found(server, ids)
        assert (ran.state, ran.error_kind) == ("lost", "host_lost")
        assert (claimed.state, claimed.error_kind) == ("lost", "host_lost")
        assert (rerun.state, rerun.attempt) == ("queued", 1)
        assert told(server) == (0, 0, 1, 2, 0)


async def test_a_host_says_what_ended_what_was_cut_off_and_what_had_not_begun(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ids = leave_behind(tmp_path)
    outcome = Outcome(result=b"3", measurement=Measurement(run=0.5, cpu=0.1))
    with caplog.at_level("INFO"):
        async with engine(tmp_path, pools=POOLS, hosts=HOSTS) as server:
            earlier = server.hosting.earlier
            ended = ((ids[0], 1, Finished(ids[0], outcome)),)
            earlier.hear(gone(BOOTS[0], ended=ended, cut_off=((ids[1], 1),)))
            await eventually(lambda: 1 not in earlier)
            assert 3 in earlier  # the other host may have it
            earlier.hear(gone(BOOTS[1]))
            await decided(server)
            done, cut_off, waiting = await found(server, ids)

            assert (done.state, done.result, done.run_seconds) == ("succeeded", "3", 0.5)
            assert (cut_off.state, waiting.state) == ("queued", "queued")
            assert told(server) == (1, 1, 1, 0, 0)
    assert "tasks that hosts had when the server before this one ended: 1 had ended" in caplog.text


async def test_where_the_notes_of_a_host_are_not_whole_nothing_counts_as_not_begun(
    tmp_path: Path,
) -> None:
    ids = leave_behind(tmp_path)
    async with engine(tmp_path, pools=POOLS, hosts=HOSTS) as server:
        server.hosting.earlier.hear(gone(BOOTS[0], is_whole=False))
        server.hosting.earlier.hear(gone(BOOTS[1]))
        await decided(server)
        assert [task.state for task in await found(server, ids)] == ["lost", "queued", "lost"]


async def test_the_word_of_a_host_that_nobody_knows_is_nothing(tmp_path: Path) -> None:
    ids = leave_behind(tmp_path)
    async with engine(tmp_path, pools=POOLS, hosts=HOSTS) as server:
        server.hosting.earlier.hear(gone("cccccccc", cut_off=((ids[0], 1),)))
        server.hosting.earlier.hear(gone(BOOTS[0]))
        await eventually(lambda: server.hosting.earlier.unheard == {"cpu": {BOOTS[1]}})
        assert told(server) == (0, 0, 0, 0, 3)


async def test_a_task_that_is_not_decided_waits_over_another_start(tmp_path: Path) -> None:
    ids = leave_behind(tmp_path)
    for _ in range(2):
        async with engine(tmp_path, pools=POOLS, hosts=HOSTS) as server:
            assert told(server)[-1] == 3
            assert (await found(server, ids))[0].state is State.RUNNING
