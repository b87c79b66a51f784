"""Submitting tasks: the hot path, so the body is read without FastAPI's handling of parameters."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from pooldeck_server import failpoints
from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.tasks.states import FINAL
from pooldeck_server.domain.tasks.submission import MAX_KEY_LENGTH, Submission
from pooldeck_server.settings import LimitSettings
from pooldeck_server.web.api.bodies import Batch, read_batch, read_submission
from pooldeck_server.web.api.schemas.tasks import Ids, Task
from pooldeck_server.web.http.application import Application
from pooldeck_server.web.http.dependencies import MAX_WAIT, server_of
from pooldeck_server.web.http.request_body import json_body
from pooldeck_server.web.http.responses import WRITING, answer, bad, good, takes

T = TypeVar("T")

_LARGE: Final = 256 * 1024  # bytes; decoding more would hold up the event loop noticeably
_KEY: Final = "Idempotency-Key"
_RAW_KEY: Final = _KEY.lower().encode()
_EXAMPLE: Final = {
    "function": "examples.jobs.resize_image",
    "args": ["pictures/a.png"],
    "kwargs": {"width": 64},
}
KEY_HEADER: Final = {
    "name": _KEY,
    "in": "header",
    "description": "The same key gives the same task; with another body it is an error.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH},
}
_WAIT: Final = {
    "name": "wait",
    "in": "query",
    "description": "Wait for the task's end, at most so many seconds.",
    "schema": {"type": "number", "minimum": 0, "maximum": MAX_WAIT, "default": 0},
}


def install(app: Application, prefix: str) -> None:
    responses = bad(*WRITING, 429)
    app.router.add_api_route(
        f"{prefix}/tasks",
        submit,
        methods=["POST"],
        status_code=202,
        tags=["tasks"],
        responses=good(Task, "Stored; it has not ended yet.", 202)
        | good(Task, "Stored, and it has ended, well or not.")
        | responses,
        openapi_extra=takes(Submission, _EXAMPLE) | {"parameters": [_WAIT, KEY_HEADER]},
        route_class_override=DirectRoute,
    )
    app.router.add_api_route(
        f"{prefix}/tasks/batch",
        submit_batch,
        methods=["POST"],
        status_code=202,
        tags=["tasks"],
        responses=good(Ids, "All are stored.", 202) | responses,
        openapi_extra=takes(Batch, {"tasks": [_EXAMPLE]}),
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
        is_for_us = scope.get("path") == self._path and scope["method"] == "POST"
        serve = self._serve if is_for_us else self._app
        return serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
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
    submission = await _read(request, read_submission, server.settings.limits)
    if seconds:
        task = await server.submit_and_wait(submission, key, seconds)
    else:
        task = (await server.intake.submit(submission, key)).task
    status = 200 if task.state in FINAL else 202
    failpoints.reach("before_answer")
    return answer(Task.of(task), status, (b"location", f"/api/v1/tasks/{task.id}".encode()))


async def submit_batch(request: Request) -> Response:
    """Submit many tasks in one commit: all of them are stored, or none.

    Idempotency keys stand in the items, as `idempotency_key`.
    """
    server = server_of(request)
    if _KEY in request.headers:
        raise InvalidRequest(f"{_KEY}: in a batch, each task has its own idempotency_key")
    submissions = await _read(request, read_batch, server.settings.limits)
    return answer(Ids(await server.intake.submit_batch(submissions)), 202)


async def _read(
    request: Request, reader: Callable[[bytes, LimitSettings], T], limits: LimitSettings
) -> T:
    body = await json_body(request)
    if len(body) > _LARGE:
        return await asyncio.to_thread(reader, body, limits)
    return reader(body, limits)


def idempotency_key(request: Request) -> str | None:
    """Return the key that a request was sent under, if it was.

    Raises:
        InvalidRequest: If it is none that could be kept.
    """
    value = dict(request.scope["headers"]).get(_RAW_KEY)
    if value is None:
        return None
    key: str = value.decode("latin-1")
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
