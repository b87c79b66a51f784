"""What a start makes of the tasks that a server which was cut off had in hand."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from pooldeck_server.domain.clock import SystemClock
from pooldeck_server.domain.errors import StartupError
from pooldeck_server.domain.pools.controls import ServerRun, StartReport
from pooldeck_server.domain.tasks.changes import Claim, Start
from pooldeck_server.domain.tasks.ids import TaskIds
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import NewTask
from pooldeck_server.store import records
from pooldeck_server.store.database import Database
from tests.support.engine import engine, outcome

FAR_AHEAD = 3600 * 1_000_000  # microseconds
CLOCK = SystemClock()
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


def new_tasks() -> list[NewTask]:
    """Return a task of each kind: two that run, one that is claimed, one that waits, one later."""
    ids = TaskIds(CLOCK)
    now = CLOCK.now()
    kinds: list[dict[str, object]] = [
        {},
        {"options": '{"idempotent":true}'},
        {},
        {},
        {"state": State.SCHEDULED, "run_at": now + FAR_AHEAD},
    ]
    return [
        replace(PLAIN, seq=seq, id=ids.next(), created_at=now, **kind)
        for seq, kind in enumerate(kinds, 1)
    ]


def leave_behind(data: Path) -> list[str]:
    """Make the database of a server that was cut off; return the ids of its tasks."""
    tasks = new_tasks()
    database = Database.open(data / "pooldeck.sqlite3")
    with database.transaction() as tx:
        records.begin_run(tx, ServerRun("0" * 16, 1, CLOCK.now()))
        records.insert_tasks(tx, tasks)
        records.claim(tx, [Claim(seq, 1) for seq in (1, 2, 3)])
        records.start(tx, [Start(seq, 1, CLOCK.now(), 0.0, "cpu-1", 1, None) for seq in (1, 2)])
    database.close()
    return [task.id for task in tasks]


def test_what_was_in_hand_is_lost_or_run_again_and_all_else_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ids = leave_behind(tmp_path)

    async def story() -> StartReport | None:
        async with engine(tmp_path) as server:
            ran, rerun, claimed, waiting = [await outcome(server, each) for each in ids[:4]]
            for task in (ran, claimed):
                assert (task.state, task.attempt) == (State.LOST, 1)
            assert (rerun.state, rerun.attempt, rerun.result) == (State.SUCCEEDED, 2, "3")
            assert (waiting.state, waiting.attempt) == (State.SUCCEEDED, 1)
            assert (await server.tasks.get(ids[4])).state is State.SCHEDULED
            return server.run.report

    with caplog.at_level("WARNING"):
        report = asyncio.run(story())

    assert report is not None
    assert replace(report, down_seconds=None, cut_off=()) == StartReport(
        was_clean=False, down_seconds=None, queued=1, scheduled=1, rerun=1, lost=2
    )
    assert {task.task: task.became for task in report.cut_off} == {
        ids[0]: State.LOST,
        ids[1]: State.QUEUED,
        ids[2]: State.LOST,
    }
    assert "its tasks: 1 queued, 1 scheduled, 1 run again, 2 lost" in caplog.text


def test_a_start_that_fails_leaves_the_notes_of_the_workers_to_the_next_one(
    tmp_path: Path,
) -> None:
    leave_behind(tmp_path)
    notes = tmp_path / "workers" / "cpu-1.box"
    notes.parent.mkdir()
    notes.touch()

    async def start() -> None:
        async with engine(tmp_path, log={"path": tmp_path / "workers"}):
            pass

    with pytest.raises(StartupError):
        asyncio.run(start())
    assert notes.exists()
