"""`Tasks`: what takes the place of `BackgroundTasks` in an app of FastAPI's.

Needs FastAPI 0.121 or later, whose dependencies may end before the response is sent. Nothing else
of Pooldeck imports this module.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, Final

from fastapi import Depends, HTTPException
from msgspec import Raw

from pooldeck import task_marks
from pooldeck.beside.child import ServerNotStarted
from pooldeck.client.asking import Question
from pooldeck.client.client import Client
from pooldeck.client.default import default_client
from pooldeck.client.errors import ClientError, Refused
from pooldeck.client.future import RemoteFuture
from pooldeck.client.http import KEY
from pooldeck.client.submit_options import NO_OPTIONS, Submissions, submit_options

_PATIENCE: Final = 5.0  # seconds: somebody waits for the response
_LATER: Final = 5  # seconds
_OF_THE_REQUEST: Final = frozenset({413, 422})  # refusals that are about what was submitted
_UNPROCESSABLE: Final = 422
_UNAVAILABLE: Final = 503
_log = logging.getLogger(__name__)


class TaskCollector:
    """Collects what an endpoint submits; all of it is stored, or nothing, before it answers.

    Args:
        client: What submits it.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._options: dict[str, Any] = {}
        self._bodies: list[Raw] = []

    def add(self, function: str | Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
        """Have a function run as a task once the endpoint has returned.

        It is submitted after the endpoint, and before its response is sent: who gets the response
        can rely on it. If the endpoint raises an exception, nothing is submitted. What the server
        refuses becomes the response: 422 where the task does not fit, else 503.

        Args:
            function: A function that the server loads too, best one with `@task`; or its name.
            args: Its arguments.
            kwargs: Its arguments by name.

        Raises:
            TypeError: If an argument has no JSON, or the function is none with `@task`.
            ValueError: If an argument has a value that JSON does not have.
        """
        _check_is_task(function)
        options = submit_options(NO_OPTIONS, self._options)
        submissions = Submissions(self._client, options)
        self._bodies.append(Raw(submissions.of(function, args, kwargs).body))

    add_task = add  # as `BackgroundTasks` calls it

    async def submit(
        self, function: str | Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> RemoteFuture[Any]:
        """Have a function run as a task at once; return its future when the server has the task.

        Raises:
            HTTPException: With status 422 or 503, if the server does not take it.
            TypeError: If an argument has no JSON, or the function is none with `@task`.
        """
        _check_is_task(function)
        view = self._client.options(**self._options)
        future: RemoteFuture[Any] = view.submit(function, *args, **kwargs)
        await _stored(future)
        if future.task_id is None and (error := future.exception(0)) is not None:
            raise _answer_to(error)
        return future

    def options(self, **options: Any) -> "TaskCollector":
        """Return a view whose tasks have options; as `Client.options`."""
        view = TaskCollector(self._client)
        view._options = self._options | options
        view._bodies = self._bodies
        return view

    async def store(self) -> None:
        """Submit what was added, in one commit.

        Raises:
            HTTPException: With status 422 or 503, if the server does not take it.
        """
        if not self._bodies:
            return
        body = {"tasks": self._bodies}
        key = {KEY: os.urandom(16).hex()}
        question = Question("POST", "/tasks/batch", body, None, key, _PATIENCE)
        try:
            await asyncio.to_thread(self._client.ask, question)
        except ClientError as error:
            raise _answer_to(error) from error


async def _collected() -> AsyncIterator[TaskCollector]:
    # Not in the event loop: it may have to wait for the server of `pooldeck.asgi()` to start.
    try:
        client = await asyncio.to_thread(default_client)
    except ServerNotStarted as error:
        raise _answer_to(error) from error
    tasks = TaskCollector(client)
    yield tasks
    await tasks.store()


Tasks = Annotated[TaskCollector, Depends(_collected, scope="function")]
"""A parameter of an endpoint: `async def order(tasks: Tasks)`, and in it `tasks.add(...)`."""


async def _stored(future: RemoteFuture[Any]) -> None:
    """Return when a future is stored, or has failed before that."""
    loop, is_there = asyncio.get_running_loop(), asyncio.Event()

    def tell() -> None:
        loop.call_soon_threadsafe(is_there.set)

    future.when_stored(tell)
    await is_there.wait()


def _check_is_task(function: str | Callable[..., Any]) -> None:
    """Refuse what no server can know: the mistake is the app's, not that of who has asked it.

    Raises:
        TypeError: If it is a function without `@task`.
    """
    if not isinstance(function, str) and task_marks.options_of(function) is None:
        raise TypeError(
            f"{function!r} is no function with @task: put @task above it, in a module that the "
            "server loads too"
        )


def _answer_to(error: BaseException) -> HTTPException:
    """Return what an endpoint answers where its tasks are not taken; the log has the reason."""
    if isinstance(error, Refused) and error.status in _OF_THE_REQUEST:
        _log.warning("the tasks of an endpoint were refused: %s", error)
        return HTTPException(_UNPROCESSABLE, f"a task was refused: {error}")
    _log.error("the tasks of an endpoint could not be submitted: %s", error)
    later = {"Retry-After": str(_LATER)}
    return HTTPException(_UNAVAILABLE, "the tasks could not be submitted; try again later", later)
