"""Submitting tasks: the hot path, so the body is read without FastAPI's handling of parameters."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from pooldeck_server import failpoints
from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.tasks.states import FINAL
from pooldeck_server.domain.tasks.submission import MAX_KEY_LENGTH, Submission
from pooldeck_server.runtime.recording.spans import follow
from pooldeck_server.runtime.recording.watch import Watch
from pooldeck_server.runtime.server import Server
from pooldeck_server.web.api.bodies import (
    Batch,
    read_batch,
    read_submission,
)
from pooldeck_server.web.api.reading import body_of, bytes_of_many, bytes_of_task
from pooldeck_server.web.api.schemas.tasks import Ids, Task
from pooldeck_server.web.api.shown import shown_task
from pooldeck_server.web.http.application import Application
from pooldeck_server.web.http.dependencies import MAX_WAIT, server_of
from pooldeck_server.web.http.headers import kept_headers
from pooldeck_server.web.http.mount import path_of
from pooldeck_server.web.http.requests import put_route
from pooldeck_server.web.http.responses import WRITING, answer, bad, good, takes
from pooldeck_server.web.http.sight import Sight, sight_of

_KEY: Final = "Idempotency-Key"
_RAW_KEY: Final = _KEY.lower().encode()
_WATCH: Final = "Pooldeck-Watch"
_RAW_WATCH: Final = _WATCH.lower().encode()
_EXAMPLE: Final = {
    "function": "examples.pictures.resize_image",
    "args": ["pictures/a.png"],
    "kwargs": {"width": 64},
}
KEY_HEADER: Final = {
    "name": _KEY,
    "in": "header",
    "description": "The same key gives the same task; with another body it is an error.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH},
}
_WATCH_HEADER: Final = {
    "name": _WATCH,
    "in": "header",
    "description": "The id of a watch, which is then for these tasks too. The answer has the same "
    "header if it is; if not, the watch is gone or full.",
    "schema": {"type": "string"},
}
_WAIT: Final = {
    "name": "wait",
    "in": "query",
    "description": "Wait for the task's end, at most so many seconds.",
    "schema": {"type": "number", "minimum": 0, "maximum": MAX_WAIT, "default": 0},
}


def install(app: Application, prefix: str) -> None:
    responses = bad(*WRITING, 410, 429)
    app.router.add_api_route(
        f"{prefix}/tasks",
        submit,
        methods=["POST"],
        status_code=202,
        tags=["tasks"],
        responses=good(Task, "Stored; it has not ended yet.", 202)
        | good(Task, "Stored, and it has ended, well or not.")
        | responses,
        openapi_extra=takes(Submission, _EXAMPLE)
        | {"parameters": [_WAIT, KEY_HEADER, _WATCH_HEADER]},
        route_class_override=DirectRoute,
    )
    app.router.add_api_route(
        f"{prefix}/tasks/batch",
        submit_batch,
        methods=["POST"],
        status_code=202,
        tags=["tasks"],
        responses=good(Ids, "All are stored.", 202) | responses,
        openapi_extra=takes(Batch, {"tasks": [_EXAMPLE]})
        | {"parameters": [KEY_HEADER, _WATCH_HEADER]},
        route_class_override=DirectRoute,
    )
    app.put_in_front(Shortcut, path=f"{prefix}/tasks", endpoint=submit)


class DirectRoute(APIRoute):
    """A call that takes the request and returns the response by itself.

    It is described in the OpenAPI document as any other. FastAPI's handling of parameters, which
    it does without, costs about as much as everything else on the way of a submission.
    """

    def get_route_handler(self) -> Callable[[Request], Any]:
        endpoint: Callable[[Request], Any] = self.endpoint
        return endpoint


class Shortcut:
    """Takes submissions past FastAPI's middleware and routing, to the endpoint that they end at.

    Without it a submission takes as long here as an empty FastAPI call with a pydantic body takes
    in all; with it, half of that. Errors are left to the guard, which stands outside.
    """

    def __init__(
        self, app: ASGIApp, path: str, endpoint: Callable[[Request], Awaitable[Response]]
    ) -> None:
        self._app = app
        self._path = path
        self._endpoint = endpoint

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request."""
        is_post = scope["type"] == "http" and scope["method"] == "POST"
        is_for_us = is_post and path_of(scope) == self._path
        serve = self._serve if is_for_us else self._app
        return serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        put_route(scope, self._path)
        response = await self._endpoint(Request(scope, receive, send))
        await response(scope, receive, send)


async def submit(request: Request) -> Response:
    """Submit one task.

    The answer comes when the task is stored, so that it survives a crash of the server; with
    `wait`, when it has ended or the time is over.
    """
    server = server_of(request)
    seconds = _seconds(request)
    key = idempotency_key(request)
    follow_trace(request, server)
    submission = await body_of(request, read_submission, server.settings.limits, bytes_of_task)
    sight = sight_of(request)
    await sight.check_submissions([submission], server)
    watch = watch_of(request, sight, 1)
    if seconds:
        task = await server.submit_and_wait(submission, key, seconds, watch)
    else:
        task = (await server.intake.submit(submission, key, watch)).task
    status = 200 if task.state in FINAL else 202
    failpoints.reach("before_answer")
    return answer(
        shown_task(server, sight.echo(task)),
        status,
        (b"location", f"/api/v1/tasks/{task.id}".encode()),
        *watched_by(watch),
    )


async def submit_batch(request: Request) -> Response:
    """Submit many tasks in one commit: all of them are stored, or none.

    The header `Idempotency-Key` is for the whole: the same key gives the same ids. The items may
    have keys of their own, as `idempotency_key`.
    """
    server = server_of(request)
    key = idempotency_key(request)
    follow_trace(request, server)
    submissions = await body_of(request, read_batch, server.settings.limits, bytes_of_many)
    sight = sight_of(request)
    await sight.check_submissions(submissions, server)
    watch = watch_of(request, sight, len(submissions))
    ids = await server.intake.submit_batch(submissions, key, watch)
    return answer(Ids(ids), 202, *watched_by(watch))


def follow_trace(request: Request, server: Server) -> None:
    """Let what a request submits belong to the trace that its headers name, if there are traces."""
    if server.spans is not None:
        follow(request.headers)


def watch_of(request: Request, sight: Sight, number: int) -> Watch | None:
    """Return the watch that is to tell of so many new tasks; None for none, or if it cannot."""
    name = kept_headers(request.scope).get(_RAW_WATCH)
    if name is None:
        return None
    watches = server_of(request).watches
    return watches.of_submission(name.decode("latin-1"), sight.principal, number)


def watched_by(watch: Watch | None) -> tuple[tuple[bytes, bytes], ...]:
    """Return what the head of an answer says of the watch that has taken the tasks."""
    if watch is None or not watch.is_read:  # its reader has gone meanwhile
        return ()
    return ((_RAW_WATCH, watch.id.encode()),)


def idempotency_key(request: Request) -> str | None:
    """Return the key that a request was sent under, if it was.

    Raises:
        InvalidRequest: If it is none that could be kept.
    """
    value = kept_headers(request.scope).get(_RAW_KEY)
    if value is None:
        return None
    key = value.decode("latin-1")
    if not (0 < len(key) <= MAX_KEY_LENGTH and key.isprintable()):
        raise InvalidRequest(f"{_KEY}: expected 1 to {MAX_KEY_LENGTH} printable characters")
    return key


def _seconds(request: Request) -> float:
    """Return the seconds to wait; FastAPI's own check is not on this path."""
    if not request.scope["query_string"]:
        return 0.0
    text = request.query_params.get("wait", "0")
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MAX_WAIT:
        raise InvalidRequest(f"wait: expected 0 to {MAX_WAIT:g} seconds", parameter="wait")
    return seconds
