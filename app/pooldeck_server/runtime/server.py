"""The running server: its parts, in the order of a task's way.

A submission goes through the intake to the store and to the queue of its pool; reads go to the
store; the live picture comes from the frames. `runtime.lifecycle.startup` puts the parts together.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import Conflict
from pooldeck_server.domain.functions.catalogue import Catalogue
from pooldeck_server.domain.pools.controls import ServerRun
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.domain.tasks.submission import Submission, TaskStack
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.runtime.advice.advisor import Advisor
from pooldeck_server.runtime.advice.placement import Placements
from pooldeck_server.runtime.advice.sizes import Sizes
from pooldeck_server.runtime.experiments.experiments import Experiments
from pooldeck_server.runtime.live.frames import Frames
from pooldeck_server.runtime.live.health import Health
from pooldeck_server.runtime.pipelines.pipelines import Pipelines
from pooldeck_server.runtime.recording.log_file import LogFile
from pooldeck_server.runtime.recording.waiters import Waiters
from pooldeck_server.runtime.tasks.control import TaskControl
from pooldeck_server.runtime.tasks.counts import Counts
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.door import Door
from pooldeck_server.runtime.tasks.errors import Errors
from pooldeck_server.runtime.tasks.functions import Functions
from pooldeck_server.runtime.tasks.holds import Holds
from pooldeck_server.runtime.tasks.intake import Intake
from pooldeck_server.runtime.tasks.pool_controls import PoolControls
from pooldeck_server.runtime.tasks.profiles import Profiles
from pooldeck_server.runtime.tasks.shared_state import Shared
from pooldeck_server.settings import Settings
from pooldeck_server.store.database import Database, Reader

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, eq=False)
class Server:
    """The parts, already started. All of them belong to the event loop."""

    settings: Settings
    clock: Clock
    run: ServerRun
    door: Door
    functions: Functions
    intake: Intake
    pipelines: Pipelines
    database: Database
    reader: Reader
    queues: Mapping[str, Dispatcher]
    holds: Holds
    shared: Shared
    tasks: TaskControl
    pools: PoolControls
    waiters: Waiters
    counts: Counts
    errors: Errors
    log_file: LogFile | None
    health: Health
    frames: Frames
    profiles: Profiles
    advisor: Advisor
    placements: Placements
    sizes: Sizes
    experiments: Experiments

    @property
    def catalogue(self) -> Catalogue:
        return self.functions.catalogue

    @property
    def state(self) -> str:
        """Return "starting" until submissions are taken, then "ready", at last "draining"."""
        if self.door.is_closing():
            return "draining"
        return "ready" if self.catalogue.is_known else "starting"

    @property
    def takes_tasks(self) -> bool:
        """Tell whether submissions are taken now: it is ready, and has its files."""
        return self.state == "ready" and self.door.is_open

    async def read(
        self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a function of `pooldeck_server.store.queries`; raises as `Reader.run`."""
        return await self.reader.run(query, *args, **kwargs)

    async def stack(self, task_id: str) -> TaskStack:
        """Return where a running task is at this moment, without disturbing it.

        Raises:
            NotFound: If there is no such task.
            Conflict: If it does not run.
        """
        task = await self.tasks.get(task_id)
        queue = self.queues.get(task.pool)
        if task.state is not State.RUNNING or queue is None:
            raise Conflict(f"task {task_id} is {task.state}; only what runs has a stack")
        return TaskStack(task, await queue.pool.stack(task_id))

    async def submit_and_wait(
        self, submission: Submission, idempotency_key: str | None, seconds: float
    ) -> StoredTask:
        """Submit, and return the task when it is final or as it is after `seconds`.

        Raises:
            PooldeckError: If it is refused; nothing is stored then.
        """
        accepted = await self.intake.submit(submission, idempotency_key)
        # A new task was handed over one turn of the event loop ago at the earliest. Its end has to
        # go through the writer thread, so it cannot have been announced yet.
        known = accepted.task if accepted.created else None
        return await self.wait(accepted.task.id, seconds, known)

    async def wait(
        self, task_id: str, seconds: float, known: StoredTask | None = None
    ) -> StoredTask:
        """Return a task when it is final, or as it is after `seconds`.

        It is read, unless the caller knows how it is at this moment.

        Raises:
            NotFound: If there is no such task.
        """
        with self.waiters.waiter(task_id) as ended:
            task = known or await self.tasks.get(task_id)
            if task.state in FINAL or seconds <= 0 or self.door.is_closing():
                return task
            await asyncio.wait([ended], timeout=seconds)
        return await self.tasks.get(task_id)
