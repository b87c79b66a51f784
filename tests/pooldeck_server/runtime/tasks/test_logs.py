"""Logs on their way from workers to the store and the log file: bounded, each line once."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Raw

from pooldeck.protocol import LogLine
from pooldeck_server.domain.tasks.log import LogWindow, StoredLine
from pooldeck_server.domain.tasks.submission import Submission
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from tests.support.engine import BOUND, engine, outcome

T = TypeVar("T")


@asynccontextmanager
async def talking(tmp_path: Path, **changes: Any) -> AsyncIterator[Server]:
    """Run an engine with the functions that say much; its log file is tmp_path/log."""
    log = {"path": tmp_path / "log", "format": "json"}
    changes = {"functions": ("log_functions",), "log": log} | changes
    async with engine(tmp_path / "data", **changes) as server:
        yield server


async def submit(server: Server, function: str, *args: object, **fields: Any) -> str:
    encoded = Raw(msgspec.json.encode(args))
    submission = Submission(function=f"log_functions.{function}", args=encoded, **fields)
    return (await server.intake.submit(submission)).task.id


async def whole_log(server: Server, task_id: str) -> list[StoredLine]:
    """Return the log of a task that has ended: its last lines are written with its end."""
    await outcome(server, task_id)
    return await server.read(queries.logs, task_id, limit=1_000_000)


async def read_until(look: Callable[[], Awaitable[T]], is_so: Callable[[T], object]) -> T:
    """Read as often as it takes for the answer to be as wanted; return it."""
    deadline = time.monotonic() + BOUND
    while not is_so(found := await look()):
        assert time.monotonic() < deadline, f"it did not come to be: {found}"
        await asyncio.sleep(0.01)
    return found


def told(lines: Sequence[StoredLine]) -> list[tuple[str, bool]]:
    return [(line.message, line.is_open) for line in lines]


def said_in_file(tmp_path: Path) -> list[str]:
    return [json.loads(line)["message"] for line in (tmp_path / "log").read_text().splitlines()]


async def test_of_a_long_log_beginning_end_and_errors_are_kept_and_of_a_short_one_all(
    tmp_path: Path,
) -> None:
    wrong = [500, 600, 700, 800, 900, 1000, 1100, 1990]
    async with talking(tmp_path, limits={"log_lines": 100, "log_errors": 3}) as server:
        lines = await whole_log(server, await submit(server, "imports", 2000, wrong))
        short = await whole_log(server, await submit(server, "imports", 99, []))
    messages = [line.message for line in lines]
    assert messages[:50] == [f"row {n}" for n in range(50)]
    assert messages[-2:] == ["row 1999", "finished"]
    errors = [line.message for line in lines if line.level == "ERROR"]
    assert errors[:3] == ["row 500", "row 600", "row 700"]
    assert errors[-3:] == ["row 1000", "row 1100", "row 1990"]
    assert len(lines) <= 100 + 6
    assert len(lines) + sum(line.left_out for line in lines) == 2001
    assert lines[-1].n == 2001
    assert [(line.n, line.left_out) for line in short] == [(n, 0) for n in range(1, 101)]


async def test_a_line_that_is_not_finished_is_shown_as_it_grows_and_kept_as_it_was_last(
    tmp_path: Path,
) -> None:
    gate = tmp_path / "gate"
    pools = {"cpu": {"kind": "process", "size": 3, "spare": 0}}
    async with talking(tmp_path, pools=pools) as server:
        draws = await submit(server, "draws", str(gate))
        asks = await submit(server, "asks", str(gate))
        hangs = await submit(server, "asks", str(tmp_path / "never"), timeout=1.5)
        begun = await read_until(
            partial(server.read, queries.logs, draws), lambda log: len(log) == 2
        )
        assert told(begun) == [("begun", False), ("10 %", True)]
        assert told(await read_until(partial(server.read, queries.logs, asks), bool)) == [
            ("connecting ...", True)
        ]
        gate.touch()
        assert told(await whole_log(server, draws)) == [("begun", False), ("100 %", False)]
        assert told(await whole_log(server, asks)) == [("connecting ... done", False)]
        assert [text for text, _ in told(await whole_log(server, hangs))] == ["connecting ..."]
        assert (await outcome(server, hangs)).error_kind == "timeout"
    said = ["100 %", "begun", "connecting ...", "connecting ... done"]
    assert sorted(said_in_file(tmp_path)) == said  # each once


async def test_what_a_worker_says_of_its_own_is_kept_apart(tmp_path: Path) -> None:
    def line(n: int, message: str, *, is_open: bool = False) -> LogLine:
        return LogLine(1_800_000_000.0, "INFO", "output", message, n, is_open)

    async with talking(tmp_path) as server:
        listener = server.queues["cpu"].running
        listener.worker_said("cpu-1", [line(1, "from C"), line(2, "10 %", is_open=True)])
        listener.worker_said("cpu-1", [line(2, "100 %"), line(5, "after a gap")])
        read = partial(server.read, queries.worker_log, "cpu-1", LogWindow(9))
        log = await read_until(read, lambda log: len(log) == 3)
    assert [(each.message, each.left_out) for each in log] == [
        ("from C", 0),
        ("100 %", 0),
        ("after a gap", 2),
    ]
    assert said_in_file(tmp_path) == ["from C", "100 %", "after a gap"]
    assert json.loads((tmp_path / "log").read_text().splitlines()[0]) == {
        "time": "2027-01-15T08:00:00.000000Z",
        "level": "INFO",
        "pool": "cpu",
        "worker": "cpu-1",
        "source": "output",
        "message": "from C",
    }
