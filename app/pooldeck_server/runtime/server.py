"""The running server, as the web sees it.

A submission goes through the intake to the store and to the queue of its pool; reads go to the
store; the live picture comes from the feed. `runtime.lifecycle.startup` puts the parts together.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Concatenate, ParamSpec, TypeVar

from msgspec import Struct
from sqlalchemy import Connection

from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import Conflict, Draining, NotFound
from pooldeck_server.domain.failures.error_groups import (
    LATELY,
    GroupChange,
    GroupReport,
    StoredErrorGroup,
)
from pooldeck_server.domain.functions.catalogue import Catalogue
from pooldeck_server.domain.pools.controls import Hold, ServerRun
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.domain.pools.history import Recent
from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.domain.tasks.submission import (
    Accepted,
    BulkDone,
    Cancelled,
    Submission,
    TaskStack,
)
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.runtime.advice.advisor import Advisor
from pooldeck_server.runtime.advice.placement import Placements
from pooldeck_server.runtime.advice.sizes import Sizes
from pooldeck_server.runtime.experiments.experiments import Experiments
from pooldeck_server.runtime.live.frames import Feed
from pooldeck_server.runtime.live.health import Health
from pooldeck_server.runtime.live.history import PoolHistory
from pooldeck_server.runtime.pipelines.pipelines import Pipelines
from pooldeck_server.runtime.recording.log_file import LogFile
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.control import Selection, TaskControl
from pooldeck_server.runtime.tasks.counts import Counts
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.errors import Errors
from pooldeck_server.runtime.tasks.functions import Functions
from pooldeck_server.runtime.tasks.holds import Holds
from pooldeck_server.runtime.tasks.intake import Intake
from pooldeck_server.runtime.tasks.pool_controls import Controls
from pooldeck_server.runtime.tasks.profiles import Profiles
from pooldeck_server.runtime.tasks.shared_state import Shared
from pooldeck_server.settings.model import Settings
from pooldeck_server.store.database import Database, Reader

P = ParamSpec("P")
T = TypeVar("T")


class Parts(Struct, frozen=True):
    """What answers the web's questions, already started."""

    settings: Settings
    clock: Clock
    database: Database
    reader: Reader
    recorder: Recorder
    directory: Functions
    intake: Intake
    queues: Mapping[str, Dispatcher]
    tasks: TaskControl
    holds: Holds
    errors: Errors
    controls: Controls
    deck: Health
    feed: Feed
    tally: Counts
    history: PoolHistory
    profiles: Profiles
    advisor: Advisor
    placements: Placements
    sizes: Sizes
    log_file: LogFile | None
    experiments: Experiments
    pipelines: Pipelines
    shared: Shared
    run: ServerRun


class Service:
    """The façade over the running parts. All its methods belong to the event loop."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._draining = False
        self.settings = parts.settings
        self.clock = parts.clock
        self.database = parts.database
        self.feed = parts.feed
        self.tally = parts.tally
        self.profiles = parts.profiles
        self.advisor = parts.advisor
        self.placements = parts.placements
        self.sizes = parts.sizes
        self.log_file = parts.log_file
        self.experiments = parts.experiments
        self.pipelines = parts.pipelines
        self.shared = parts.shared
        self.start_report = parts.run

    @property
    def catalogue(self) -> Catalogue:
        """Return the functions as last reported."""
        return self._parts.directory.catalogue

    @property
    def state(self) -> str:
        """Return "starting" until submissions are taken, then "ready", at last "draining"."""
        if self._draining:
            return "draining"
        return "ready" if self.catalogue.is_known else "starting"

    @property
    def takes_tasks(self) -> bool:
        """Tell whether submissions are taken now: it is ready, and has its files."""
        return self.state == "ready" and self.database.standing.displacement is None

    # Changing things.

    async def submit(self, submission: Submission, idempotency_key: str | None = None) -> Accepted:
        """Store a task that will run; return it when it is committed.

        Raises:
            PooldeckError: If it is refused; nothing is stored then.
        """
        self._refuse_what_would_be_lost()
        return await self._parts.intake.submit(submission, idempotency_key)

    async def submit_batch(self, submissions: Sequence[Submission]) -> list[str]:
        """Store tasks in one commit, all or none; return their ids in order.

        Raises:
            PooldeckError: If any is refused.
        """
        self._refuse_what_would_be_lost()
        return await self._parts.intake.submit_batch(submissions)

    async def cancel(
        self, task_id: str, *, kill: bool = False, reason: str | None = None
    ) -> Cancelled:
        """Cancel a task that has not started, ask one that runs to end itself, or kill it.

        Args:
            task_id: Its id.
            kill: Whether to end it by force if it runs.
            reason: Why, for the record of what was killed.

        Raises:
            NotFound: If there is no such task.
        """
        return await self._parts.tasks.cancel(task_id, kill=kill, reason=reason)

    async def retry(self, task_id: str) -> StoredTask:
        """Queue a final task again; return it.

        Raises:
            NotFound: If there is no such task.
            Conflict: If it is not final.
            ArgumentsErased: If its sensitive arguments are gone.
            PooldeckError: If it could not be submitted now either.
        """
        self._refuse_what_would_be_lost()
        return await self._parts.tasks.retry(task_id)

    async def cancel_matching(
        self, selection: Selection, *, kill: bool = False, reason: str | None = None
    ) -> BulkDone:
        """Cancel every live task that a filter fits, or those of these ids; else as `cancel`."""
        return await self._parts.tasks.cancel_all(selection, kill=kill, reason=reason)

    async def retry_matching(self, selection: Selection) -> BulkDone:
        """Queue every final task again that a filter fits, or those of these ids."""
        self._refuse_what_would_be_lost()
        return await self._parts.tasks.retry_all(selection)

    async def count_matching(self, wanted: TaskFilter, *, final: bool) -> int:
        """Return how many final (or live) tasks a filter fits."""
        return await self._parts.tasks.count(wanted, final=final)

    async def release(self, function: str) -> None:
        """Let a function on hold run again.

        Raises:
            NotFound: If it is not on hold.
        """
        await self._parts.holds.release(function)
        self.feed.invalidate()

    async def change_error_group(self, group_id: str, change: GroupChange) -> None:
        """Mute, unmute, fix or reopen a group of errors.

        Raises:
            NotFound: If there is no such group.
            Conflict: If the group is in a state that does not allow it.
        """
        await self._parts.errors.change(group_id, change)
        self.feed.invalidate()

    # Pools and workers.

    async def resize_pool(self, name: str, size: int) -> PoolHealth:
        """Give a pool another number of slots; return its health.

        Raises:
            NotFound: If there is no such pool.
        """
        await self._parts.controls.set_size(self._queue(name).pool, size)
        self.feed.invalidate()
        return self.pool(name)

    async def pause_pool(self, name: str) -> PoolHealth:
        """Hand out nothing more from a pool's queue; return its health.

        Raises:
            NotFound: If there is no such pool.
        """
        await self._parts.controls.set_state(self._queue(name).pool, "paused")
        self.feed.invalidate()
        return self.pool(name)

    async def resume_pool(self, name: str) -> PoolHealth:
        """Let a paused, draining or stopped pool run again; return its health.

        Raises:
            NotFound: If there is no such pool.
        """
        await self._parts.controls.set_state(self._queue(name).pool, "running")
        self.feed.invalidate()
        return self.pool(name)

    async def drain_pool(self, name: str, reason: str | None = None) -> PoolHealth:
        """Let a pool finish what runs and then stop; return its health.

        Args:
            name: The pool.
            reason: Why, for the record.

        Raises:
            NotFound: If there is no such pool.
        """
        await self._parts.controls.set_state(self._queue(name).pool, "stopped", reason)
        self.feed.invalidate()
        return self.pool(name)

    async def restart_pool(self, name: str, reason: str | None = None) -> PoolHealth:
        """Replace a pool's workers one by one, which loads the user's code anew.

        Args:
            name: The pool.
            reason: Why, for the record.

        Raises:
            NotFound: If there is no such pool.
        """
        self._parts.controls.restart(self._queue(name).pool, reason)
        return self.pool(name)

    async def kill_worker(self, worker_id: str, reason: str | None = None) -> PoolHealth:
        """End a worker; its tasks are cancelled. Return the health of its pool.

        Args:
            worker_id: The worker.
            reason: Why, for the record.

        Raises:
            NotFound: If there is no such worker.
        """
        for name, queue in self._parts.queues.items():
            if self._parts.controls.kill_worker(queue.pool, worker_id, reason):
                return self.pool(name)
        raise NotFound(f"there is no worker {worker_id}; it may have ended")

    def _queue(self, name: str) -> Dispatcher:
        self.pool(name)
        return self._parts.queues[name]

    def begin_drain(self) -> None:
        """Take no more submissions, hand nothing more out, end the live streams."""
        self._draining = True
        self.experiments.drain()
        self.pipelines.drain()
        self.feed.close_streams()
        for queue in self._parts.queues.values():
            queue.drain()

    def _refuse_what_would_be_lost(self) -> None:
        if self._draining:
            raise Draining(
                "the server is shutting down; submit again when it is back", retry_after=5
            )
        self.database.standing.refuse()

    # Looking.

    async def read(
        self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a function of `pooldeck_server.store.queries` on a reader thread.

        Raises:
            StorageUnavailable: If the database cannot be read at the moment.
        """
        return await self._parts.reader.run(query, *args, **kwargs)

    async def task(self, task_id: str) -> StoredTask:
        """Return a task.

        Raises:
            NotFound: If there is no such task.
        """
        return await self._parts.tasks.task(task_id)

    async def stack(self, task_id: str) -> TaskStack:
        """Return where a running task is at this moment, without disturbing it.

        Raises:
            NotFound: If there is no such task.
            Conflict: If it does not run.
        """
        task = await self.task(task_id)
        queue = self._parts.queues.get(task.pool)
        if task.state is not State.RUNNING or queue is None:
            raise Conflict(f"task {task_id} is {task.state}; only what runs has a stack")
        return TaskStack(task, await queue.pool.stack(task_id))

    def holds(self) -> tuple[Hold, ...]:
        """Return the functions on hold, by name."""
        return self._parts.holds.all()

    def returned_errors(self) -> tuple[StoredErrorGroup, ...]:
        """Return the groups of errors that came again after they were marked as fixed."""
        return self._parts.errors.returned()

    async def error_group(self, group_id: str, hours: int = LATELY) -> GroupReport:
        """Return a group of errors with what was counted in its latest `hours`.

        Raises:
            NotFound: If there is no such group.
        """
        return await self._parts.errors.report(group_id, hours)

    async def submit_and_wait(
        self, submission: Submission, idempotency_key: str | None, seconds: float
    ) -> StoredTask:
        """Submit, and return the task when it is final or as it is after `seconds`.

        Raises:
            PooldeckError: If it is refused; nothing is stored then.
        """
        accepted = await self.submit(submission, idempotency_key)
        # A new task was handed over one turn of the event loop ago at the earliest. Its end has to
        # go through the writer thread, so it cannot have been announced yet.
        known = accepted.task if accepted.created else None
        return await self.wait(accepted.task.id, seconds, known)

    async def wait(
        self, task_id: str, seconds: float, known: StoredTask | None = None
    ) -> StoredTask:
        """Return a task when it is final, or as it is after `seconds`.

        Args:
            task_id: Its id.
            seconds: How long to wait at most.
            known: The task as it is at this moment, if the caller knows; else it is read.

        Raises:
            NotFound: If there is no such task.
        """
        with self.feed.waiter(task_id) as ended:
            task = known or await self.task(task_id)
            if task.state in FINAL or seconds <= 0 or self._draining:
                return task
            await asyncio.wait([ended], timeout=seconds)
        return await self.task(task_id)

    def recent(self, pool: str) -> Recent | None:
        """Return how a pool's last minutes were; None before it was looked at."""
        return self._parts.history.recent(pool)

    def pools(self) -> tuple[PoolHealth, ...]:
        """Return the health of every pool."""
        return self._parts.deck.health()

    def pool(self, name: str) -> PoolHealth:
        """Return the health of one pool.

        Raises:
            NotFound: If there is no such pool.
        """
        return self._parts.deck.pool(name)
