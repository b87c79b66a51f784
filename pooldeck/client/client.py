"""`Client`: tasks on a server as futures, for programs without an event loop."""

import atexit
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final, Self, Unpack

from pooldeck.client import asking
from pooldeck.client.asking import Question
from pooldeck.client.changes import TaskChanges
from pooldeck.client.engine import ClientEngine
from pooldeck.client.errors import ClientError, Detached
from pooldeck.client.future import RemoteFuture, check_futures
from pooldeck.client.groups import Group
from pooldeck.client.loop_thread import Callbacks, LoopThread
from pooldeck.client.pipelines import PipelineBuilder
from pooldeck.client.places import find_place
from pooldeck.client.submit_options import NO_OPTIONS, Submissions
from pooldeck.client.views import SyncSubmitting

_AT_EXIT_SECONDS: Final = 10.0  # for what was submitted and is not stored yet


class Client(SyncSubmitting):
    """Runs functions as tasks on a server.

    Its engine runs in a thread of its own, which starts when it is first needed: a client may be
    used from any number of threads, and inside a running event loop. Closing it, as at the end of a
    `with`, waits until all is stored that was submitted; futures that wait for an end after that
    raise `Detached`, and their tasks go on.

    Args:
        url: Where the server is. By default what POOLDECK_URL says, else a profile, else
            http://127.0.0.1:8000.
        token: What lets it in; by default POOLDECK_TOKEN, or that of the profile, or, for a server
            of the same user on this machine, the one that it has written for them.
        profile: The name of a profile of `~/.config/pooldeck/profiles.toml`.
        timeout: For how many seconds a request is tried again while no server answers, or it says
            "later". By default 120, and 5 as long as none has answered.

    Attributes:
        is_closed: Whether it takes nothing more.
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
        self._lock = threading.Lock()
        self._thread: LoopThread | None = None
        self._callbacks = Callbacks()
        self.is_closed = False
        _clients.add(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def engine(self) -> ClientEngine:
        """Return the engine, which starts with the first use.

        Raises:
            RuntimeError: If the client is closed.
        """
        return self._started().engine

    # Tasks.

    def gather(self, *futures: RemoteFuture[Any], timeout: float | None = None) -> list[Any]:
        """Return the results of futures, in order; raise what the first of them raises.

        Raises:
            TypeError: If what is given are no futures, but a list of them.
            TimeoutError: If they are not there within so many seconds.
        """
        check_futures(futures)
        group = Group(self)
        group.futures += futures
        return group.results(timeout)

    def group(self) -> Group:
        """Return a group: what it submits is waited for, and cancelled, together."""
        return Group(self)

    def pipeline(self, name: str | None = None) -> PipelineBuilder:
        """Return a builder of a pipeline, with a name for people."""
        return PipelineBuilder(self, name)

    def future(self, task_id: str) -> RemoteFuture[Any]:
        """Return a future that waits for a task that exists, whoever submitted it."""
        future: RemoteFuture[Any] = RemoteFuture(self, "", b"")
        self._started().call(_attached(self.engine, task_id, future))
        return future

    def task(self, task_id: str) -> Any:
        """Return the record of a task, as the API has it: a dictionary."""
        return self.ask(asking.task(task_id))

    def tasks(self, **filters: Any) -> Iterator[Any]:
        """Yield the records of tasks, newest first, page by page.

        Args:
            filters: Those of `GET /api/v1/tasks`, such as `state="failed"`, `tag`, `function`.
        """
        while True:
            page = self.ask(asking.tasks(filters))
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            filters["cursor"] = page["next_cursor"]

    def cancel(self, task_id: str, *, kill: bool = False, reason: str | None = None) -> Any:
        """Cancel a task; return what that did and the task, as the API has it.

        Args:
            task_id: Its id.
            kill: Whether to end it also if it runs.
            reason: Why, for the log of actions.
        """
        return self.ask(asking.cancel(task_id, kill=kill, reason=reason))

    def change(self, task_id: str, **changes: Unpack[TaskChanges]) -> Any:
        """Change what a task that has not started will do; return its record, as it is then.

        Either that is what runs, or the change is refused and nothing of it is done.

        Args:
            task_id: Its id.
            changes: `priority`, `pool`, `args`, `kwargs`, `delay` in seconds from now, or `run_at`,
                a time with its zone, where None is as soon as a slot is free. `args` and `kwargs`
                each replace the whole. `reason` says why, for the log of actions.

        Raises:
            TypeError: If there is no such change, or an argument has no JSON.
            ValueError: If an argument has a value that JSON does not have.
            Refused: If it has started, or would not run as it would be then.
        """
        return self.ask(asking.change(task_id, changes))

    def retry(self, task_id: str, *, reason: str | None = None) -> Any:
        """Run a task that has ended once more, as a new attempt; return its record."""
        return self.ask(asking.retry(task_id, reason))

    def logs(self, task_id: str, *, attempt: int | None = None) -> Iterator[Any]:
        """Yield the lines that a task has said so far, of its latest attempt unless named."""
        after: int | None = 0
        while after is not None:
            page = self.ask(asking.logs(task_id, after, attempt))
            yield from page["items"]
            after = page["next_after"]

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Send any request; return the answer, decoded.

        Args:
            method: The HTTP method.
            path: Below `/api/v1`, with its query.
            body: What to send, as JSON.
        """
        return self.ask(Question(method, path, body))

    def close(self, timeout: float | None = None) -> None:
        """Wait until all is stored that was submitted, then let go of it.

        Args:
            timeout: For how many seconds to wait at most; None for as long as the client tries.
        """
        with self._lock:
            self.is_closed = True
            thread, self._thread = self._thread, None
        if thread is not None:
            with suppress(ClientError, TimeoutError):
                thread.call(thread.engine.close(), timeout)
            thread.stop()
        self._callbacks.stop()

    # What futures ask.

    def check_may_wait(self) -> None:
        """Raise an error where waiting would be for ever: in the client's own thread."""
        if self._thread is not None and self._thread.is_here:
            raise RuntimeError("this thread is the client's own, which would wait for itself")

    def cancel_task(self, future: RemoteFuture[Any], *, kill: bool) -> str | None:
        """Ask for the end of a task; return the outcome."""
        return str(self.cancel(future.stored(), kill=kill)["outcome"])

    def task_of(self, future: RemoteFuture[Any]) -> Any:
        """Return the record of a task."""
        return self.task(future.stored())

    def call_back(self, call: Callable[[], None]) -> None:
        """Have something called in a thread that may take its time."""
        self._callbacks.call(call)

    def drop(self, futures: list[RemoteFuture[Any]]) -> None:
        """Cancel futures that nobody asks for any more, without waiting for it."""
        with suppress(RuntimeError, ClientError):
            thread = self._started()
            thread.spawn(thread.engine.drop(futures))

    def forked(self) -> None:
        """Begin anew in a process that was forked: the thread is not there, nor its answers."""
        thread, self._thread = self._thread, None
        self._lock = threading.Lock()
        self._callbacks = Callbacks()
        if thread is None:
            return
        _left_behind.append(thread)
        for future in thread.engine.outstanding:
            future.renew_lock()
            future.end_failed(
                Detached("it was submitted by the process that this one is a fork of")
            )

    def _home(self) -> "Client":
        return self

    def ask(self, question: Question) -> Any:
        """Send a request; return the answer, decoded."""
        thread = self._started()
        return thread.call(thread.engine.ask(question))

    def _started(self) -> LoopThread:
        thread = self._thread
        if thread is not None and thread.is_alive:
            return thread
        with self._lock:
            if self.is_closed:
                raise RuntimeError("the client is closed: make another one")
            if self._thread is None or not self._thread.is_alive:
                self._thread = self._start()
            return self._thread

    def _start(self) -> LoopThread:
        place, timeout = self._place, self._timeout
        thread = LoopThread(lambda: ClientEngine(lambda: find_place(*place), timeout))
        weakref.finalize(self, thread.stop).atexit = False
        return thread


async def _attached(engine: ClientEngine, task_id: str, future: RemoteFuture[Any]) -> None:
    engine.attach(task_id, future)


_clients: "weakref.WeakSet[Client]" = weakref.WeakSet()
_left_behind: list[LoopThread] = []  # kept: what they hold of the system is also the parent's


def _close_all() -> None:
    for client in list(_clients):
        client.close(_AT_EXIT_SECONDS)


def _forked() -> None:
    for client in list(_clients):
        client.forked()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_forked)
