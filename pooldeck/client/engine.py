"""The engine of a client: one event loop's part, whoever runs that loop.

    submit → Batches ── POST /tasks/batch ──→ server
                │ ids                            │
                ▼                                ▼
    futures ← Watch ←── POST /watches, one stream of ends

`AsyncClient` runs it in the caller's loop, `Client` in a thread of its own.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from pooldeck.client import asking
from pooldeck.client.asking import Question
from pooldeck.client.batches import MOST_TASKS, Batches
from pooldeck.client.errors import ClientError, Detached
from pooldeck.client.future import RemoteFuture
from pooldeck.client.http import HttpApi
from pooldeck.client.places import Place
from pooldeck.client.watch import Watch

_CLOSED: Final = "the client is closed: make another one"


class ClientEngine:
    """Submits tasks and waits for them, for one client. To be made and used in its loop.

    Only `submit` may be called from any thread.

    Args:
        find: Says where the server is.
        patience: For how many seconds a request is tried; None for the usual.
    """

    def __init__(self, find: Callable[[], Place], patience: float | None) -> None:
        self._loop = asyncio.get_running_loop()
        self.api = HttpApi(find, patience)
        self.watch = Watch(self.api)
        self.batches = Batches(
            self.api,
            watch_id=lambda: self.watch.id,
            on_stored=self._stored,
            on_idle=lambda: self.watch.expect(submissions=False),
        )
        self._is_awake = False
        self._is_closed = False
        self._watching = self._loop.create_task(self.watch.run())
        self._watching.add_done_callback(self._broke)

    def submit(self, future: RemoteFuture[Any]) -> None:
        """Queue a task; one that comes after others as soon as those are stored.

        Raises:
            RuntimeError: If the client is closed.
        """
        if self._is_closed:
            raise RuntimeError(_CLOSED)
        if future.needs:
            _Chained(future, self._put)
        else:
            self._put(future)

    async def ask(self, question: Question) -> Any:
        """Send any request; return the answer, decoded."""
        return await self.api.json(*question)

    def attach(self, task_id: str, future: RemoteFuture[Any]) -> None:
        """Let a future wait for a task that exists."""
        future.send()
        future.has_id(task_id)
        self.watch.add([(task_id, future)], None)

    async def drop(self, futures: list[RemoteFuture[Any]]) -> None:
        """Cancel what nobody waits for: quietly what was not sent, the rest by one request."""
        sent = [future for future in futures if not future.take_back()]
        if any(future.task_id is None for future in sent):
            await self.batches.flush()
        ids = [each.task_id for each in sent if each.task_id is not None and not each.done()]
        for first in range(0, len(ids), MOST_TASKS):
            await self.ask(asking.cancel_all(ids[first : first + MOST_TASKS]))

    async def close(self, *, wait: bool = True) -> None:
        """Wait until all is stored that was submitted, then let go of it."""
        self._is_closed = True
        if wait:
            await self.batches.flush()
        self._watching.cancel()
        await asyncio.wait([self._watching])
        self.batches.drop(lambda: Detached("the client was closed before this was sent"))
        self.watch.fail(_detached)
        await self.api.close()

    @property
    def outstanding(self) -> list[RemoteFuture[Any]]:
        """Return the futures that have not ended."""
        return [*self.batches.outstanding, *self.watch.outstanding]

    def _put(self, future: RemoteFuture[Any]) -> None:
        self.batches.put(future)
        if not self._is_awake:
            self._is_awake = True
            with suppress(RuntimeError):  # the loop is closed, and the queue with it
                self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._is_awake = False
        self.watch.expect(submissions=True)
        self.batches.leave()

    def _stored(self, futures: list[tuple[str, RemoteFuture[Any]]], watch: str | None) -> None:
        for task_id, future in futures:
            future.has_id(task_id)
        self.watch.add(futures, watch)
        if self._watching.done():  # nobody would tell how they end
            self.watch.fail(_detached)

    def _broke(self, task: "asyncio.Task[None]") -> None:
        """Fail what waits where the watch has met an error of its own: nobody would tell it."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._is_closed = True
            self.batches.drop(lambda: ClientError(f"the client failed: {error!r}"))
            self.watch.fail(lambda _: ClientError(f"the client failed: {error!r}"))


class _Chained:
    """A submission that waits until what it comes after is stored."""

    def __init__(self, future: RemoteFuture[Any], put: Callable[[RemoteFuture[Any]], None]) -> None:
        self._future = future
        self._put = put
        self._missing = list(future.needs)
        self._next()

    def _next(self) -> None:
        """Wait for the next that is not stored; in turn, since that may be in any thread."""
        while self._missing:
            need = self._missing.pop()
            if need.task_id is None:
                need.when_stored(self._next)
                return
        self._leave()

    def _leave(self) -> None:
        lost = [need for need in self._future.needs if need.task_id is None]
        if lost:
            self._future.end_failed(
                ClientError(f"what it comes after was not stored: {lost[0].function}")
            )
            return
        self._future.put_ids()
        self._put(self._future)


def _detached(future: RemoteFuture[Any]) -> Detached:
    return Detached(
        f"the client was closed; the task goes on, and client.future({future.task_id!r}) of "
        "another client waits for it"
    )
