"""`AsyncClient`: tasks on a server as futures that are awaited, in the caller's event loop."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, Self, TypeVar, Unpack

from pooldeck.client import asking
from pooldeck.client.asking import Question
from pooldeck.client.changes import TaskChanges
from pooldeck.client.engine import ClientEngine
from pooldeck.client.future import RemoteFuture, check_futures
from pooldeck.client.mapping import WINDOW, Window
from pooldeck.client.places import find_place
from pooldeck.client.submit_options import NO_OPTIONS, Submissions, SubmitOptions
from pooldeck.client.submitting import Submitting

T = TypeVar("T")


class _AsyncSubmitting(Submitting):
    """What `AsyncClient` and its views have in common."""

    def _home(self) -> "AsyncClient":
        raise NotImplementedError

    def _enqueue(self, future: RemoteFuture[Any]) -> None:
        self._home().engine.submit(future)

    def _view(self, options: SubmitOptions) -> "AsyncClientView":
        return AsyncClientView(self._home(), options)

    async def map(
        self,
        function: str | Callable[..., T],
        /,
        *iterables: Iterable[Any],
        timeout: float | None = None,  # noqa: ASYNC109 - as `Executor.map` has it
        window: int = WINDOW,
    ) -> AsyncIterator[T]:
        """Call a function with each item of the iterables; yield the results in order.

        As `Client.map`, with `async for`.
        """
        home = self._home()

        def call(arguments: tuple[Any, ...]) -> RemoteFuture[Any]:
            future = self._submissions.of(function, arguments, {})
            home.engine.submit(future)
            return future

        on_their_way = Window(call, zip(*iterables, strict=False), window, home.drop)
        until = None if timeout is None else time.monotonic() + timeout
        try:
            while on_their_way:
                left = None if until is None else until - time.monotonic()
                result = await asyncio.wait_for(on_their_way.head, left)
                on_their_way.advance()
                yield result
        finally:
            on_their_way.close()


class AsyncClient(_AsyncSubmitting):
    """Runs functions as tasks on a server, from one event loop.

    As `Client`: `submit` returns at once, and its future is awaited. Whatever asks the server is a
    coroutine. Use it as an asynchronous context manager.

    Args:
        url: Where the server is; as for `Client`.
        token: What lets it in; as for `Client`.
        profile: The name of a profile; as for `Client`.
        timeout: For how many seconds a request is tried again; as for `Client`.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        profile: str | None = None,
        timeout: float | None = None,
    ) -> None:
        super().__init__(Submissions(self, NO_OPTIONS), NO_OPTIONS)
        self._place = (url, token, profile)
        self._timeout = timeout
        self._engine: ClientEngine | None = None
        self._thread = 0  # where its loop runs
        self._is_closed = False
        self._asked: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def engine(self) -> ClientEngine:
        """Return the engine, which begins with the first use.

        Raises:
            RuntimeError: If the client is closed, or no event loop runs here.
        """
        if self._engine is None:
            if self._is_closed:
                raise RuntimeError("the client is closed: make another one")
            place = self._place
            self._thread = threading.get_ident()
            self._engine = ClientEngine(lambda: find_place(*place), self._timeout)
        return self._engine

    async def gather(self, *futures: RemoteFuture[Any]) -> list[Any]:
        """Return the results of futures, in order; raise what the first of them raises."""
        check_futures(futures)
        return list(await asyncio.gather(*futures))

    async def stored(self, future: RemoteFuture[Any]) -> str:
        """Wait until the server has the task of a future; return the task's id.

        Raises:
            Refused: If the server refuses it.
            NotReachable: If no server answers.
            CancelledError: If it was cancelled before it was sent.
        """
        is_stored = asyncio.Event()
        future.when_stored(is_stored.set)
        await is_stored.wait()
        return future.stored(0)

    def future(self, task_id: str) -> RemoteFuture[Any]:
        """Return a future that waits for a task that exists, whoever submitted it."""
        future: RemoteFuture[Any] = RemoteFuture(self, "", b"")
        self.engine.attach(task_id, future)
        return future

    async def task(self, task_id: str) -> Any:
        """Return the record of a task, as the API has it: a dictionary."""
        return await self.ask(asking.task(task_id))

    async def tasks(self, **filters: Any) -> AsyncIterator[Any]:
        """Yield the records of tasks, newest first; as `Client.tasks`."""
        while True:
            page = await self.ask(asking.tasks(filters))
            for each in page["items"]:
                yield each
            if page["next_cursor"] is None:
                return
            filters["cursor"] = page["next_cursor"]

    async def cancel(self, task_id: str, *, kill: bool = False, reason: str | None = None) -> Any:
        """Cancel a task; return what that did and the task; as `Client.cancel`."""
        return await self.ask(asking.cancel(task_id, kill=kill, reason=reason))

    async def change(self, task_id: str, **changes: Unpack[TaskChanges]) -> Any:
        """Change a task that has not started; return its record; as `Client.change`."""
        return await self.ask(asking.change(task_id, changes))

    async def retry(self, task_id: str, *, reason: str | None = None) -> Any:
        """Run a task that has ended once more, as a new attempt; return its record."""
        return await self.ask(asking.retry(task_id, reason))

    async def logs(self, task_id: str, *, attempt: int | None = None) -> AsyncIterator[Any]:
        """Yield the lines that a task has said so far, of its latest attempt unless named."""
        after: int | None = 0
        while after is not None:
            page = await self.ask(asking.logs(task_id, after, attempt))
            for each in page["items"]:
                yield each
            after = page["next_after"]

    async def request(self, method: str, path: str, body: Any = None) -> Any:
        """Send any request; return the answer, decoded; as `Client.request`."""
        return await self.ask(Question(method, path, body))

    async def ask(self, question: Question) -> Any:
        """Send a request; return the answer, decoded."""
        return await self.engine.ask(question)

    async def close(self) -> None:
        """Wait until all is stored that was submitted, then let go of it."""
        self._is_closed = True
        if self._engine is not None:
            if self._asked:
                await asyncio.wait(self._asked)
            await self._engine.close()
            self._engine = None

    # What futures ask.

    def check_may_wait(self) -> None:
        """Raise an error in the thread of the loop, which would wait for itself."""
        if threading.get_ident() == self._thread:
            raise RuntimeError("this would block the event loop: await the future instead")

    def cancel_task(self, future: RemoteFuture[Any], *, kill: bool) -> str | None:
        """Ask for the end of a task as soon as it is stored, without waiting for the outcome."""
        future.when_stored(lambda: self._ask_for_end(future, kill=kill))
        return None

    def task_of(self, future: RemoteFuture[Any]) -> Any:
        """Say how to ask for a record here."""
        raise RuntimeError(
            f"this would block the event loop: await client.task({future.task_id!r})"
        )

    def call_back(self, call: Callable[[], None]) -> None:
        """Call what waits for an end; this is the loop that it waits in."""
        call()

    def drop(self, futures: list[RemoteFuture[Any]]) -> None:
        """Cancel futures that nobody asks for any more, without waiting for it."""
        if self._engine is not None:
            self._spawn(self._engine.drop(futures))

    def _home(self) -> "AsyncClient":
        return self

    def _ask_for_end(self, future: RemoteFuture[Any], *, kill: bool) -> None:
        if future.task_id is not None and self._engine is not None:
            question = asking.cancel(future.task_id, kill=kill)
            self._spawn(self._engine.ask(question))

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.get_running_loop().create_task(_quietly(coroutine))
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)


class AsyncClientView(_AsyncSubmitting):
    """A client as seen by submissions with options."""

    def __init__(self, client: AsyncClient, options: SubmitOptions) -> None:
        super().__init__(Submissions(client, options), options)
        self._client = client

    def _home(self) -> AsyncClient:
        return self._client


async def _quietly(coroutine: Any) -> None:
    """Run what nobody waits for: the task's end tells what came of it."""
    try:
        await coroutine
    except Exception:  # noqa: BLE001 - as above
        return
