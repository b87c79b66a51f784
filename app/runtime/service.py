"""The running server, as the web sees it.

A submission goes through the intake to the store and to the queue of its pool; reads go to the
store; the live picture comes from the feed. `app.runtime.opening` puts the parts together.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Concatenate, ParamSpec, TypeVar

from msgspec import Struct
from sqlalchemy import Connection

from app.domain.catalogue import Catalogue
from app.domain.clock import Clock
from app.domain.errors import Draining, NotAvailableYet, NotFound
from app.domain.health import PoolHealth
from app.domain.states import FINAL
from app.domain.submissions import Accepted, Cancelled, Submission
from app.domain.tasks import StoredTask
from app.runtime.deck import Deck
from app.runtime.directory import Directory
from app.runtime.dispatcher import Dispatcher
from app.runtime.feed import Feed
from app.runtime.intake import Intake
from app.runtime.recorder import Recorder
from app.settings import Settings
from app.store import queries, records
from app.store.database import Database, Reader

P = ParamSpec("P")
T = TypeVar("T")


class Parts(Struct, frozen=True):
    """What answers the web's questions, already started."""

    settings: Settings
    clock: Clock
    database: Database
    reader: Reader
    recorder: Recorder
    directory: Directory
    intake: Intake
    queues: Mapping[str, Dispatcher]
    deck: Deck
    feed: Feed


class Service:
    """The façade over the running parts. All its methods belong to the event loop."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._draining = False
        self.settings = parts.settings
        self.clock = parts.clock
        self.database = parts.database
        self.feed = parts.feed

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

    # Changing things.

    async def submit(self, submission: Submission, idempotency_key: str | None = None) -> Accepted:
        """Store a task that will run; return it when it is committed.

        Raises:
            PooldeckError: If it is refused; nothing is stored then.
        """
        self._refuse_when_draining()
        return await self._parts.intake.submit(submission, idempotency_key)

    async def submit_batch(self, submissions: Sequence[Submission]) -> list[str]:
        """Store tasks in one commit, all or none; return their ids in order.

        Raises:
            PooldeckError: If any is refused.
        """
        self._refuse_when_draining()
        return await self._parts.intake.submit_batch(submissions)

    async def cancel(self, task_id: str) -> Cancelled:
        """Cancel a task that has not started.

        Raises:
            NotFound: If there is no such task.
            NotAvailableYet: If a worker has it already.
        """
        task = await self.task(task_id)
        queue = self._parts.queues.get(task.pool)
        while task.state not in FINAL:
            if queue is not None and queue.has_handed(task_id):
                raise NotAvailableYet(
                    f"task {task_id} has started; only tasks that have not can be cancelled so far"
                )
            moves = await self._cancel(task, queue)
            task = await self.task(task_id)
            if moves:
                return Cancelled("cancelled", task)
        return Cancelled("already_ended", task)

    async def _cancel(self, task: StoredTask, queue: Dispatcher | None) -> bool:
        now = self.clock.now()
        recorder = self._parts.recorder
        if queue is None:
            moves = await recorder.perform(lambda tx: records.cancel(tx, [task.seq], now))
            return bool(moves)
        return await queue.cancel(task.seq, now)

    def begin_drain(self) -> None:
        """Take no more submissions, hand nothing more out, end the live streams."""
        self._draining = True
        self.feed.close_streams()
        for queue in self._parts.queues.values():
            queue.drain()

    def _refuse_when_draining(self) -> None:
        if self._draining:
            raise Draining(
                "the server is shutting down; submit again when it is back", retry_after=5
            )

    # Looking.

    async def read(
        self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a function of `app.store.queries` on a reader thread.

        Raises:
            StorageUnavailable: If the database cannot be read at the moment.
        """
        return await self._parts.reader.run(query, *args, **kwargs)

    async def task(self, task_id: str) -> StoredTask:
        """Return a task.

        Raises:
            NotFound: If there is no such task.
        """
        task = await self.read(queries.task, task_id)
        if task is None:
            raise NotFound(f"there is no task {task_id}")
        return task

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

    def pools(self) -> tuple[PoolHealth, ...]:
        """Return the health of every pool."""
        return self._parts.deck.health()

    def pool(self, name: str) -> PoolHealth:
        """Return the health of one pool.

        Raises:
            NotFound: If there is no such pool.
        """
        return self._parts.deck.pool(name)
