"""What tasks say stands in their logs: of threads, children, C code, before a death, all of it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from tests.support import engine as engines
from tests.support.engine import engine, outcome

EACH_POOL = pytest.mark.parametrize("pool", ["cpu", "io"])
WORDS = [
    ("DEBUG", "said_functions", "detail"),
    ("INFO", "said_functions", "information"),
    ("WARNING", "said_functions", "warning"),
    ("INFO", "stdout", "printed"),
]


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)  # it would hide what C code buffers
    async with engine(tmp_path, functions=("said_functions",)) as server:
        yield server


async def said(
    server: Server, function: str, *args: Any, **fields: Any
) -> list[tuple[str, str, str]]:
    """Run a function and return its log."""
    task = await ended(server, function, *args, **fields)
    lines = await server.read(queries.logs, task, 0, 1000)
    return [(line.level, line.source, line.message) for line in lines]


async def ended(server: Server, function: str, *args: Any, **fields: Any) -> str:
    """Run a function and return the id of its task."""
    submission = engines.call(function, *args, module="said_functions", **fields)
    task = (await server.intake.submit(submission)).task.id
    await outcome(server, task)
    return task


async def test_threads_and_children_of_a_task_are_heard(server: Server) -> None:
    for pool in ("cpu", "io"):
        assert await said(server, "shares_out", pool=pool) == [
            ("INFO", "stdout", "asked"),
            ("WARNING", "said_functions", "late"),
            ("INFO", "stdout", "as well"),
        ]
        broken = await said(server, "helper_breaks", pool=pool)
        assert broken[-1] == ("WARNING", "stderr", "ZeroDivisionError: division by zero")
        assert await said(server, "asks_program", pool=pool) == [
            ("INFO", "output", "4 files copied"),
            ("INFO", "output", "no space left"),
        ]


async def test_lines_of_c_code_belong_to_the_task_that_made_them(server: Server) -> None:
    for count, name in ((1, "red"), (300, "green"), (1, "yellow")):
        assert await said(server, "steps", count, name) == [
            ("INFO", "output", f"solver: {name} step {step}") for step in range(count)
        ]


@EACH_POOL
async def test_what_one_task_does_to_logging_leaves_the_next_alone(
    server: Server, pool: str
) -> None:
    for way in ("migrate", "disable", "force", "empty"):
        await said(server, "sets_up", way, pool=pool)
        assert await said(server, "words", pool=pool) == WORDS, way


async def test_a_log_over_its_bound_has_both_ends_and_its_errors(server: Server) -> None:
    task = await ended(server, "imports", 12_000)
    first = await server.read(queries.logs, task, 0, 1)
    last = await server.read(queries.logs, task, 11_999, 1000)
    assert first[0].message == "row 0: ok"
    assert [(line.n, line.message) for line in last] == [
        (12_000, "row 11999: ok"),
        (12_001, "3 rows were left out"),
        (12_002, "finished with errors"),
    ]


async def test_last_words_stand_in_the_log(server: Server) -> None:
    assert await said(server, "dies", "kill") == [
        ("INFO", "stdout", "step 1"),
        ("ERROR", "root", "no space left on the disk"),
        ("WARNING", "stderr", "giving up"),
        ("INFO", "output", "solver: the matrix is singular"),
        ("INFO", "stdout", "helper"),
        ("INFO", "stdout", "half a line"),
    ]


async def test_what_a_thread_said_before_it_was_abandoned_is_not_lost(server: Server) -> None:
    task = await ended(server, "asks", pool="io", timeout=0.05)
    for _ in range(3000):
        if lines := await server.read(queries.logs, task):
            break
        await asyncio.sleep(0.01)
    assert lines[0].message == "connecting ..."
