"""The routes of submissions, which take requests as they are; `submit` answers them."""

from collections.abc import Callable
from typing import Any, Final

from fastapi import Request
from fastapi.routing import APIRoute

from pooldeck_server.domain.tasks.submission import MAX_KEY_LENGTH, MAX_WAIT, Submission
from pooldeck_server.web.api.bodies import Batch
from pooldeck_server.web.api.schemas.tasks import Ids, Task
from pooldeck_server.web.api.submit import KEY, WATCH, submit, submit_batch
from pooldeck_server.web.http.responses import WRITING, bad, good, takes
from pooldeck_server.web.http.routes import Routes

_EXAMPLE: Final = {
    "function": "examples.pictures.resize_image",
    "args": ["pictures/a.png"],
    "kwargs": {"width": 64},
}
KEY_HEADER: Final = {
    "name": KEY,
    "in": "header",
    "description": "The same key gives the same task; with another body it is an error.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH},
}
_WATCH_HEADER: Final = {
    "name": WATCH,
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


class DirectRoute(APIRoute):
    """A call that takes the request and returns the response by itself.

    It is described in the OpenAPI document as any other. FastAPI's handling of parameters, which
    it does without, costs about as much as everything else on the way of a submission.
    """

    def get_route_handler(self) -> Callable[[Request], Any]:
        endpoint: Callable[[Request], Any] = self.endpoint
        return endpoint


def install(routes: Routes, prefix: str) -> None:
    """Add both calls, below `prefix`."""
    responses = bad(*WRITING, 410, 429)
    routes.router.add_api_route(
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
    routes.router.add_api_route(
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
