"""The running server: its parts, in the order of a task's way.

A submission goes through the intake to the store and to the queue of its pool; reads go to the
store; the live picture comes from the frames. `runtime.lifecycle.startup` puts the parts together.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from msgspec.structs import replace
from sqlalchemy import Connection

from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import Conflict
from pooldeck_server.domain.frames import Frame
from pooldeck_server.domain.functions.catalogue import Catalogue
from pooldeck_server.domain.notices import Notice
from pooldeck_server.domain.pools.controls import ServerRun
from pooldeck_server.domain.pools.health import host_named
from pooldeck_server.domain.pools.hosts import HostState, host_of
from pooldeck_server.domain.readiness import Readiness
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.domain.tasks.submission import Submission, TaskStack
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.domain.tasks.waiting import WAITS, TaskWait
from pooldeck_server.runtime.access.action_log import ActionLog
from pooldeck_server.runtime.access.login_links import LoginLinks
from pooldeck_server.runtime.access.sessions import Sessions
from pooldeck_server.runtime.access.tokens import Tokens
from pooldeck_server.runtime.advice.advisor import Advisor
from pooldeck_server.runtime.advice.memory import Memories
from pooldeck_server.runtime.advice.placement import Placements
from pooldeck_server.runtime.advice.sizes import Sizes
from pooldeck_server.runtime.alerts.alerts import Alerts
from pooldeck_server.runtime.alerts.callbacks import Callbacks
from pooldeck_server.runtime.experiments.experiments import Experiments
from pooldeck_server.runtime.hosts.hosted_pools import HostedPools
from pooldeck_server.runtime.live.figures import Figures
from pooldeck_server.runtime.live.frames import Frames
from pooldeck_server.runtime.live.health import Health
from pooldeck_server.runtime.live.notices import of_frame
from pooldeck_server.runtime.live.readiness import ReadinessProbe
from pooldeck_server.runtime.live.seen_notices import SeenNotices
from pooldeck_server.runtime.live.waiting import WaitingReasons
from pooldeck_server.runtime.pipelines.pipelines import Pipelines
from pooldeck_server.runtime.recording.backups import Backups
from pooldeck_server.runtime.recording.log_file import LogFile
from pooldeck_server.runtime.recording.spans import Spans
from pooldeck_server.runtime.recording.waiters import Waiters
from pooldeck_server.runtime.recording.watch import Watch
from pooldeck_server.runtime.recording.watches import Watches
from pooldeck_server.runtime.retention.by_hand import DeletionByHand
from pooldeck_server.runtime.retention.deletions import Deletions
from pooldeck_server.runtime.retention.retention import Retention
from pooldeck_server.runtime.retention.storage import Storage
from pooldeck_server.runtime.tasks.control import TaskControl
from pooldeck_server.runtime.tasks.counts import Counts
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.door import Door
from pooldeck_server.runtime.tasks.editing import TaskEditing
from pooldeck_server.runtime.tasks.errors import Errors
from pooldeck_server.runtime.tasks.functions import Functions
from pooldeck_server.runtime.tasks.holds import Holds
from pooldeck_server.runtime.tasks.intake import Intake
from pooldeck_server.runtime.tasks.pool_controls import PoolControls
from pooldeck_server.runtime.tasks.profiles import Profiles
from pooldeck_server.runtime.tasks.restored import Restored
from pooldeck_server.runtime.tasks.server_drain import ServerDrain
from pooldeck_server.runtime.tasks.shared_state import Shared
from pooldeck_server.settings import Settings
from pooldeck_server.store import queries
from pooldeck_server.store.database import Database, Reader
from pooldeck_server.store.queries.one_task import decoded

if TYPE_CHECKING:  # imported only where it is set
    from pooldeck_server.runtime.access.oidc.logins import OidcLogins

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, eq=False)
class Server:
    """The parts, already started. All of them belong to the event loop."""

    settings: Settings
    clock: Clock
    begun: ServerRun  # as it was at its start
    hosting: HostedPools
    sessions: Sessions
    tokens: Tokens
    links: LoginLinks | None  # where the server's own user is let in
    actions: ActionLog
    logins: "OidcLogins | None"
    door: Door
    drain: ServerDrain
    functions: Functions
    intake: Intake
    pipelines: Pipelines
    database: Database
    reader: Reader
    queues: Mapping[str, Dispatcher]
    holds: Holds
    shared: Shared
    tasks: TaskControl
    edits: TaskEditing
    pools: PoolControls
    waiters: Waiters
    watches: Watches
    counts: Counts
    figures: Figures
    spans: Spans | None
    errors: Errors
    log_file: LogFile | None
    probe: ReadinessProbe
    health: Health
    waiting: WaitingReasons
    frames: Frames
    seen_notices: SeenNotices
    profiles: Profiles
    advisor: Advisor
    placements: Placements
    restored: Restored
    backups: Backups | None
    retention: Retention
    storage: Storage
    deletion: DeletionByHand
    deletions: Deletions
    sizes: Sizes
    memories: Memories
    experiments: Experiments
    alerts: Alerts
    callbacks: Callbacks

    @property
    def run(self) -> ServerRun:
        """This run, with what is known by now of what the one before it left."""
        return replace(self.begun, report=self.hosting.earlier.report)

    @property
    def catalogue(self) -> Catalogue:
        return self.functions.catalogue

    def notices(self, frame: Frame) -> list[Notice]:
        """Return what needs attention in a picture, the worst first."""
        return of_frame(frame, self.holds.all())

    @property
    def readiness(self) -> Readiness:
        """Whether it can do its work at this moment."""
        return self.probe.look()

    @property
    def in_short(self) -> str:
        """How it is, in a line: "ready; 2 tasks run, 14 are queued"."""
        counts = self.counts.counts()
        running, queued = counts[State.RUNNING], counts[State.QUEUED]
        return f"{self.readiness}; {running} tasks run, {queued} are queued"

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
        text = await queue.pool.stack(task_id)
        host = host_named(self.health.all(), task.pool, host_of(task.worker))
        no_contact = text is None and host is not None and host.state is HostState.NO_CONTACT
        return TaskStack(task, text, no_contact)

    async def submit_and_wait(
        self,
        submission: Submission,
        idempotency_key: str | None,
        seconds: float,
        watch: Watch | None = None,
    ) -> StoredTask:
        """Submit, and return the task when it is final or as it is after `seconds`.

        Raises:
            PooldeckError: If it is refused; nothing is stored then.
        """
        accepted = await self.intake.submit(submission, idempotency_key, watch)
        # A new task was handed over one turn of the event loop ago at the earliest. Its end has to
        # go through the writer thread, so it cannot have been announced yet.
        known = accepted.task if accepted.created else None
        return await self.wait(accepted.task.id, seconds, known)

    async def why_waiting(self, task: StoredTask) -> TaskWait | None:
        """Return why a task waits, with its place and what it comes after; None if it does not."""
        if task.state not in WAITS:
            return None
        return self.waiting.of(task, await self.read(queries.wait_facts, task))

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
            found = ended.result() if ended.done() else None
        return await self.tasks.get(task_id) if found is None else decoded(found)
