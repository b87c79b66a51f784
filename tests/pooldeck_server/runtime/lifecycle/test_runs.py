"""What a run of the server finds of the one before, and leaves for the next."""

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import AbstractContextManager, closing, suppress
from pathlib import Path

import psutil

from pooldeck_server.domain.pools.controls import ServerRun, StartReport
from pooldeck_server.runtime.server import Server
from tests.support.engine import engine, eventually
from tests.support.programs import started

HOUR = 3600
SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")


def report_of(server: Server) -> StartReport:
    report = server.run.report
    assert report is not None
    return report


async def run_once(data: Path) -> ServerRun:
    """Let a server start and end in good order."""
    async with engine(data) as server:
        return server.run


def look_cut_off(data: Path, pid: int, started_at: float) -> None:
    """Let the last run look as if it had been killed; the time is in seconds."""
    with closing(sqlite3.connect(data / "pooldeck.sqlite3")) as connection, connection:
        connection.execute(
            "UPDATE runs SET ended_at = NULL, pid = ?, started_at = ? WHERE rowid ="
            " (SELECT max(rowid) FROM runs)",
            (pid, int(started_at * 1e6)),
        )


def process(**environment: str) -> AbstractContextManager["subprocess.Popen[bytes]"]:
    return started(SLEEP, env=os.environ | environment)


def test_the_first_run_has_nothing_to_tell(tmp_path: Path) -> None:
    run = asyncio.run(run_once(tmp_path))

    assert run.pid == os.getpid()
    assert run.report == StartReport(was_clean=True, down_seconds=None)


async def test_a_run_after_one_that_ended_in_order_says_so(tmp_path: Path) -> None:
    await run_once(tmp_path)
    async with engine(tmp_path) as server:
        report = report_of(server)
        assert report.was_clean
        assert report.down_seconds is not None
        assert 0 <= report.down_seconds < 30


async def test_how_long_the_server_was_down_is_told_by_its_last_sign_of_life(
    tmp_path: Path,
) -> None:
    await run_once(tmp_path)
    now = time.time()
    look_cut_off(tmp_path, os.getpid(), started_at=now - 3 * HOUR)
    os.utime(tmp_path / "pooldeck.lock", (now - HOUR, now - HOUR))
    async with engine(tmp_path) as server:
        report = report_of(server)
        assert not report.was_clean
        assert report.down_seconds is not None
        assert abs(report.down_seconds - HOUR) < 60


async def test_a_server_gives_signs_of_life_without_a_commit(tmp_path: Path) -> None:
    lock = tmp_path / "pooldeck.lock"

    async with engine(tmp_path):
        for _ in range(2):
            os.utime(lock, (0, 0))
            await eventually(lambda: lock.stat().st_mtime > 0)


async def test_what_a_run_that_was_cut_off_has_left_is_ended_before_anything_starts(
    tmp_path: Path,
) -> None:
    run = await run_once(tmp_path)
    look_cut_off(tmp_path, os.getpid(), started_at=time.time() - HOUR)
    with process(POOLDECK_BOOT=run.boot, POOLDECK_WORKER="cpu-1") as left:
        async with engine(tmp_path) as server:
            assert report_of(server).reaped == 1
            assert left.poll() is not None


async def test_a_copy_of_the_data_of_a_server_that_runs_is_no_reason_to_end_its_workers(
    tmp_path: Path,
) -> None:
    run = await run_once(tmp_path)
    with process() as other, process(POOLDECK_BOOT=run.boot) as worker:
        look_cut_off(tmp_path, other.pid, started_at=time.time())
        async with engine(tmp_path) as server:
            assert report_of(server).reaped == 0
            assert worker.poll() is None


def test_a_keeper_stands_by_for_as_long_as_the_server_runs(tmp_path: Path) -> None:
    def keepers(boot: str) -> list[psutil.Process]:
        found = []
        for child in psutil.Process().children():
            with suppress(psutil.Error):  # it has ended just now
                found += [child] if boot in child.cmdline() else []
        return found

    async def story() -> str:
        async with engine(tmp_path) as server:
            boot = server.run.boot
            (keeper,) = keepers(boot)
            keeper.kill()
            await eventually(lambda: any(other != keeper for other in keepers(boot)))
            return boot

    assert keepers(asyncio.run(story())) == []
