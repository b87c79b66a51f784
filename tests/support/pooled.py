"""A real pool, driven as the server would: a listener that feeds it and keeps what it says."""

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import psutil
import pytest

from pooldeck.kinds import KINDS, PoolKind
from pooldeck.loaded_code import LoadedCode
from pooldeck.outcome import Error, Observation, Outcome
from pooldeck.pools.boxes import Boxes
from pooldeck.pools.listener import Death, PoolListener, RunningCall
from pooldeck.pools.model import PoolSpec, WorkerState
from pooldeck.pools.out_of_memory import MemoryWatch
from pooldeck.pools.pool import Pool
from pooldeck.protocol import Call, LogLine
from tests import FUNCTIONS
from tests.support.marked_processes import new_boot

BOUND = 120.0  # seconds that anything may take
EACH_KIND = pytest.mark.parametrize("kind", list(KINDS))


class Listener(PoolListener):
    """Keeps what a pool says, and feeds it calls as slots become free."""

    def __init__(self) -> None:
        self.pool: Pool
        self.waiting: list[Call] = []
        self.most_busy = 0
        self.outcomes: dict[str, Outcome] = {}
        self.workers: dict[str, str] = {}
        self.begun: dict[str, RunningCall] = {}
        self.began_at: dict[str, float] = {}
        self.functions: set[str] = set()
        self.loaded: dict[str, LoadedCode] = {}
        self.all_quick = False  # whether calls may wait behind others
        self.seconds_per_start = 0.0  # for which a start holds up the event loop
        self.came_back: list[str] = []
        self.deaths: list[Death] = []
        self.recovered_in: dict[str, float] = {}
        self.ended_late: dict[str, Outcome] = {}
        self.observations: list[Observation] = []
        self.lines: dict[str, list[LogLine]] = {}  # by task
        self.own_lines: list[LogLine] = []  # of the workers' own logs
        self.given_up: set[str] = set()  # tasks whose thread was abandoned

    def started(self, run: RunningCall) -> None:
        self.begun[run.call.task] = run
        self.began_at[run.call.task] = time.monotonic()
        self.workers[run.call.task] = run.worker
        self.most_busy = max(self.most_busy, self.pool.busy)
        time.sleep(self.seconds_per_start)

    def logged(self, task: str, lines: list[LogLine]) -> None:
        if task not in self.given_up:
            assert task not in self.outcomes, "a call says something after its end"
        self.lines.setdefault(task, []).extend(lines)

    def worker_said(self, _worker: str, lines: list[LogLine]) -> None:
        self.own_lines += lines

    def finished(self, run: RunningCall, outcome: Outcome) -> None:
        assert run.call.task not in self.outcomes, "a call ended twice"
        if run.is_abandoned:
            self.given_up.add(run.call.task)
        self.outcomes[run.call.task] = outcome
        self.workers[run.call.task] = run.worker

    def has_room(self) -> None:
        while self.waiting and self.pool.post(self.waiting[0], is_quick=self.all_quick):
            self.waiting.pop(0)

    def returned(self, calls: list[Call]) -> None:
        self.came_back += [call.task for call in calls]
        self.all_quick = False
        self.waiting[:0] = calls
        self.has_room()

    def abandoned_ended(self, run: RunningCall, outcome: Outcome) -> None:
        assert run.worker == self.workers[run.call.task]
        self.ended_late[run.call.task] = outcome

    def died(self, death: Death) -> None:
        for call in death.bystanders:
            assert call.task in self.outcomes, "its calls are reported before its death"
        self.deaths.append(death)

    def recovered(self, worker: str, seconds: float) -> None:
        assert worker in [death.worker for death in self.deaths]
        self.recovered_in[worker] = seconds

    def described(self, worker: str, code: LoadedCode) -> None:
        self.functions |= {function.name for function in code.functions}
        self.loaded[worker] = code

    def observed(self, observations: list[Observation]) -> None:
        self.observations += observations

    def call(self, task: str, function: str, *args: Any, timeout: float | None = None) -> None:
        """Have a function of the module called as soon as there is room."""
        name = function if "." in function else f"pool_functions.{function}"
        self.waiting.append(Call(task, 1, name, msgspec.json.encode(args), b"{}", timeout))
        self.has_room()

    async def running(self, task: str, function: str, *args: Any, **options: Any) -> str:
        """Call a function, wait until it has started, and return the id of its worker."""
        self.call(task, function, *args, **options)
        await eventually(lambda: task in self.begun)
        return self.workers[task]

    def has_outcomes(self, n: int) -> bool:
        """Tell whether at least so many calls have ended."""
        return len(self.outcomes) >= n

    async def outcome(self, task: str) -> Outcome:
        await eventually(lambda: task in self.outcomes)
        return self.outcomes[task]

    async def result(self, task: str) -> Any:
        outcome = await self.outcome(task)
        assert outcome.result is not None, outcome
        return msgspec.json.decode(outcome.result)

    async def error(self, task: str) -> Error:
        outcome = await self.outcome(task)
        assert outcome.error is not None, outcome
        return outcome.error

    def ids(self, *states: WorkerState) -> set[str]:
        """Return the ids of the workers that are in one of the states."""
        return {worker.id for worker in self.pool.workers.values() if worker.state in states}


@asynccontextmanager
async def pool(
    kind: str,
    size: int,
    *,
    memory: MemoryWatch | None = None,
    boxes: Boxes | None = None,
    modules: tuple[str, ...] = ("pool_functions",),
    is_stopped: bool = False,
    is_ending: Callable[[], bool] | None = None,
    **options: Any,
) -> AsyncIterator[Listener]:
    """Run a pool for the time of a test; its workers find the functions beside this file.

    Every worker is gone afterwards.
    """
    numbers = itertools.count(1)

    async def next_number() -> int:
        return next(numbers)

    listener = Listener()
    options = {"boot_seconds": BOUND, **options}
    spec = PoolSpec(name="p", kind=PoolKind(kind), size=size, modules=modules, **options)
    listener.pool = Pool(
        spec, new_boot(), next_number, listener, memory=memory, boxes=boxes, is_ending=is_ending
    )
    if is_stopped:
        listener.pool.drain()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", str(FUNCTIONS), prepend=os.pathsep)
        await listener.pool.start()
        try:
            yield listener
        finally:
            await listener.pool.stop(0.1)
            assert not listener.pool.workers


async def eventually(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    until = time.monotonic() + BOUND
    while not is_so():
        assert time.monotonic() < until, "it did not come to be"
        await asyncio.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Tell whether a process runs."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
