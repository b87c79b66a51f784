"""Row 14: the wall clock jumps. (Backwards at each look: tests/runtime/test_service.py.)"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec
import pytest
from msgspec import Raw

from pooldeck_server.domain.clock import SystemClock
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.submission import Submission
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.runtime.lifecycle.startup import running
from pooldeck_server.runtime.server import Server
from pooldeck_server.settings import Settings
from tests.faults import effects
from tests.faults.deployment import BOUND, FAULTS, WORKER_PATH

HOUR = 3600 * 1_000_000  # microseconds


@dataclass
class JumpingClock:
    """The machine's clocks, except that the wall clock can be set: by `moved` microseconds."""

    moved: int = 0
    machine: SystemClock = field(default_factory=SystemClock)

    def now(self) -> int:
        return self.machine.now() + self.moved

    def monotonic(self) -> float:
        return self.machine.monotonic()

    def since_boot(self) -> float:
        return self.monotonic()


async def eventually(is_so: Callable[[], Awaitable[bool]]) -> None:
    until = time.monotonic() + BOUND
    while not await is_so():
        assert time.monotonic() < until, "it did not come to be"
        await asyncio.sleep(0.01)


async def submit(server: Server, function: str, *args: object, pool: str) -> str:
    """Submit, and return the id when the task has begun."""
    call = Submission(f"{FAULTS}.{function}", Raw(msgspec.json.encode(args)), pool=pool)
    task = (await server.intake.submit(call)).task.id

    async def has_begun() -> bool:
        return (await server.tasks.get(task)).state is not State.QUEUED

    await eventually(has_begun)
    return task


async def is_ready(server: Server) -> bool:
    return server.readiness == "ready"


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
async def test_timeouts_go_by_the_monotonic_clock_and_no_duration_is_absurd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: int
) -> None:
    monkeypatch.setenv("PYTHONPATH", WORKER_PATH)
    monkeypatch.setenv(effects.VARIABLE, str(tmp_path / "effects"))
    settings = Settings(data=tmp_path, functions=(FAULTS,), grace_seconds=0.2)

    clock = JumpingClock()
    async with running(settings, clock) as server:
        await eventually(partial(is_ready, server))
        for pool in ("cpu", "io"):
            patient = await submit(server, "wait_a_minute", str(tmp_path / pool), pool=pool)
            hasty = await submit(server, "overrun", pool=pool)
            clock.moved += jump
            ended = await server.wait(hasty, BOUND)
            assert (ended.state, ended.error_kind) == (State.FAILED, "timeout")
            later = await submit(server, "add", 1, 2, pool=pool)
            (tmp_path / pool).touch()
            tasks = [await server.wait(task, BOUND) for task in (patient, later)]
            assert {task.state for task in tasks} == {State.SUCCEEDED}
            assert patient < hasty < later  # ids keep the order of submission
            for task in (ended, *tasks):
                check_durations(task)


def check_durations(task: StoredTask) -> None:
    for seconds in (task.queued_seconds, task.run_seconds):
        assert seconds is not None
        assert 0 <= seconds < 600
