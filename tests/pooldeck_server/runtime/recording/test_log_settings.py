"""The log file of a running server: all lines of all workers, whole, in order, with origin."""

import asyncio
import json
import logging
from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from pooldeck_server.domain.errors import StartupError
from pooldeck_server.domain.tasks.submission import Submission
from pooldeck_server.runtime.lifecycle.startup import running
from pooldeck_server.runtime.live.notices import of_log_file
from pooldeck_server.web.text.notices import notice_text
from tests.support.engine import engine, eventually, outcome, settings

LINES = 400
POOLS = {
    "cpu": {"kind": "process", "size": 8, "spare": 0},
    "io": {"kind": "thread", "size": 16},
}


def log_settings(tmp_path: Path, **more: Any) -> dict[str, Any]:
    """Return settings of a log file in JSON."""
    return {"path": tmp_path / "logs" / "tasks.log", "format": "json", **more}


def submission(function: str, *args: Any, pool: str | None = None) -> Submission:
    """Return a submission of one of the functions that write much."""
    encoded = Raw(msgspec.json.encode(args))
    return Submission(function=f"chatty_functions.{function}", args=encoded, pool=pool)


def records(tmp_path: Path) -> list[dict[str, Any]]:
    """Return what all files of a log hold, oldest first; each line is a whole record."""
    files = list((tmp_path / "logs").iterdir())
    files.sort(key=lambda file: 0 if file.suffix == ".log" else -int(file.suffix[1:]))
    text = "".join(file.read_text() for file in files)
    assert text.endswith("\n")
    return [json.loads(line) for line in text.split("\n")[:-1]]


def test_all_workers_flood_at_once_and_every_line_is_whole_and_in_order(tmp_path: Path) -> None:
    async def scenario() -> dict[str, str]:
        log = log_settings(tmp_path, max_bytes=200_000, keep=50)
        functions = ("chatty_functions",)
        async with engine(tmp_path / "data", functions=functions, pools=POOLS, log=log) as server:
            pools = ["cpu"] * 8 + ["io"] * 16
            floods = [submission("flood", LINES, pool=pool) for pool in pools]
            tasks = [(await server.intake.submit(flood)).task.id for flood in floods]
            for task in tasks:
                assert (await outcome(server, task)).state == "succeeded"
        return dict(zip(tasks, pools, strict=True))

    pools = asyncio.run(scenario())

    said = defaultdict(list)
    for record in records(tmp_path):
        said[record["task"]].append(record)
    assert said.keys() == pools.keys()
    for task, lines in said.items():
        assert [line["message"][:5] for line in lines] == [f"{n:05d}" for n in range(LINES)]
        assert {line["pool"] for line in lines} == {pools[task]}
        assert {line["function"] for line in lines} == {"chatty_functions.flood"}
        assert {line["source"] for line in lines} == {"stdout", "acme", "task"}
        assert all(line["worker"].startswith(pools[task] + "-") for line in lines)
    sizes = [file.stat().st_size for file in (tmp_path / "logs").iterdir()]
    assert len(sizes) > 3
    assert max(sizes) <= 200_000


def test_what_pooldeck_adds_to_a_log_is_in_the_file_too(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = log_settings(tmp_path)
        async with engine(tmp_path / "data", functions=("chatty_functions",), log=log) as server:
            gate = tmp_path / "gate"
            task = (await server.intake.submit(submission("late", str(gate)))).task.id
            assert (await outcome(server, task)).error_kind == "timeout"
            gate.touch()
            await eventually(lambda: (tmp_path / "logs" / "tasks.log").stat().st_size > 0)

    asyncio.run(scenario())

    (record,) = records(tmp_path)
    assert record["source"] == "pooldeck"
    assert "the abandoned thread ended after" in record["message"]
    assert record["worker"].startswith("io-")


@pytest.mark.parametrize("is_asked", [True, False])
def test_the_server_s_own_records_are_there_if_asked_for(tmp_path: Path, is_asked: bool) -> None:
    async def scenario() -> None:
        log = log_settings(tmp_path, server=is_asked, level="WARNING")
        async with engine(tmp_path / "data", log=log):
            logging.getLogger("app.somewhere").warning("mine: %d", 1)
        logging.getLogger("app.somewhere").warning("after the end")

    asyncio.run(scenario())

    said = (tmp_path / "logs" / "tasks.log").read_text()
    assert ('"source":"app.somewhere","message":"mine: 1"' in said) == is_asked
    assert "after the end" not in said


def test_a_log_file_that_cannot_be_written_is_noticed_until_it_can(tmp_path: Path) -> None:
    folder = tmp_path / "logs"

    async def scenario() -> None:
        log = log_settings(tmp_path)
        async with engine(tmp_path / "data", functions=("chatty_functions",), log=log) as server:
            file = server.log_file
            assert file is not None
            folder.rename(tmp_path / "away")
            folder.touch()
            await server.intake.submit(submission("flood", 5))
            await eventually(lambda: file.dropped == 5 and file.trouble is not None)
            (notice,) = of_log_file(file.trouble)
            assert notice_text(notice).text.startswith("cannot be written: Not a directory.")

            folder.unlink()
            await eventually(lambda: file.trouble is None)
            assert not list(of_log_file(file.trouble))

    asyncio.run(scenario())

    (word,) = records(tmp_path)
    assert word["message"] == "5 lines are missing here: they could not be written in time"


def test_a_log_file_that_cannot_be_opened_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file, and no folder")

    async def scenario() -> None:
        chosen = settings(tmp_path / "data", log=log_settings(tmp_path))
        async with running(chosen):
            raise AssertionError("it started")

    with pytest.raises(StartupError, match=r"the log file .* cannot be opened: .*\[log\]"):
        asyncio.run(scenario())
