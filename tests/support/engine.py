"""A running engine without the web: real store, real workers, in the test's own event loop."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.readiness import Readiness
from pooldeck_server.domain.tasks.submission import Submission
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.runtime.lifecycle.ending import Ending
from pooldeck_server.runtime.lifecycle.startup import running
from pooldeck_server.runtime.server import Server
from pooldeck_server.settings import Settings
from tests import FUNCTIONS
from tests.support.stored import make

BOUND = 120.0  # seconds that anything may take
POOLS = {
    "cpu": {"kind": "process", "size": 1, "spare": 0},
    "io": {"kind": "thread", "size": 4},
}


def settings(data: Path, **changes: Any) -> Settings:
    """Return settings for an engine on the folder `data`."""
    chosen: dict[str, Any] = {"functions": ("runtime_functions",), "pools": POOLS}
    return Settings(data=data, **(chosen | {"grace_seconds": 0.2} | changes))


@asynccontextmanager
async def engine(
    data: Path,
    clock: Clock | None = None,
    ending: Ending | None = None,
    ready: Readiness = Readiness.READY,
    **changes: Any,
) -> AsyncIterator[Server]:
    """Run an engine that is `ready`; its workers find the functions beside this file."""
    make(data / "pooldeck.sqlite3")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", str(FUNCTIONS), prepend=os.pathsep)
        async with running(settings(data, **changes), clock, ending) as server:
            await eventually(lambda: server.readiness is ready)
            yield server


def call(function: str, *args: Any, module: str = "runtime_functions", **fields: Any) -> Submission:
    """Return a submission of one of the functions of these tests."""
    encoded = Raw(msgspec.json.encode(args))
    return Submission(function=f"{module}.{function}", args=encoded, **fields)


async def submit(server: Server, function: str, *args: Any, **fields: Any) -> str:
    """Submit and return the id."""
    return (await server.intake.submit(call(function, *args, **fields))).task.id


async def outcome(server: Server, task_id: str) -> StoredTask:
    """Return a task when it has ended."""
    return await server.wait(task_id, BOUND)


async def eventually(is_so: Callable[[], bool]) -> None:
    """Return as soon as something is so."""
    until = time.monotonic() + BOUND
    while not is_so():
        assert time.monotonic() < until, "it did not come to be"
        await asyncio.sleep(0.01)
