"""Pipelines: tasks that hand their results on, submitted, followed and cancelled together."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from pooldeck_server.domain.tasks.pipelines import PipelineRequest
from pooldeck_server.domain.tasks.submission import BulkDone
from pooldeck_server.store import queries
from pooldeck_server.web.api.bodies import CancelRequest, read_cancel_request, read_pipeline
from pooldeck_server.web.api.reading import body_of, bytes_of_many
from pooldeck_server.web.api.schemas.pipelines import NewPipeline, Pipeline, PipelineList
from pooldeck_server.web.api.submit import follow_trace, idempotency_key
from pooldeck_server.web.api.submit_routes import KEY_HEADER
from pooldeck_server.web.http.dependencies import NamePath, ServerDep
from pooldeck_server.web.http.responses import READING, WRITING, answer, bad, good, takes

router = APIRouter(prefix="/pipelines", tags=["pipelines"])

_MOST: Final = 100
_EXAMPLE: Final = {
    "name": "words of two chapters",
    "tasks": {
        "read": {
            "function": "examples.pipeline.read_text",
            "args": [{"$item": True}],
            "each": ["examples/data/chapter-01.txt", "examples/data/chapter-02.txt"],
        },
        "count": {
            "function": "examples.pipeline.count_text",
            "args": [{"$item": True}],
            "each": {"$result": "read"},
        },
        "join": {
            "function": "examples.pipeline.add_up",
            "args": [{"$result": "count"}],
            "on_failure": "skip",
        },
    },
}


@router.post(
    "",
    status_code=202,
    responses=good(NewPipeline, "All of its tasks are stored.", 202) | bad(*WRITING, 410, 429),
    openapi_extra=takes(PipelineRequest, _EXAMPLE) | {"parameters": [KEY_HEADER]},
)
async def submit_pipeline(request: Request, server: ServerDep) -> Response:
    """Submit tasks that come after each other, in one commit: all of them are stored, or none.

    Steps refer to each other by name: with `{"$result": "a step"}` in arguments or in `each`, or in
    `after`.
    """
    wanted = await body_of(request, read_pipeline, server.settings.limits, bytes_of_many)
    follow_trace(request, server)
    stored = await server.pipelines.submit(wanted, idempotency_key(request))
    location = (b"location", f"/api/v1/pipelines/{stored.id}".encode())
    return answer(NewPipeline(stored.id, stored.tasks), 202, location)


@router.get("", responses=good(PipelineList, "A page of pipelines.") | bad(*READING))
async def list_pipelines(
    server: ServerDep,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 20,
    cursor: Annotated[
        str | None, Query(max_length=200, description="`next_cursor` of the page before.")
    ] = None,
) -> Response:
    """List pipelines, the newest first."""
    page = await server.read(queries.pipelines, limit, cursor)
    return answer(PipelineList(tuple(map(Pipeline.of, page.items)), page.next_cursor))


@router.get("/{name}", responses=good(Pipeline, "The pipeline.") | bad(*READING, 404))
async def get_pipeline(server: ServerDep, name: NamePath) -> Response:
    """Return a pipeline by its id: its steps, and how far they are."""
    return answer(Pipeline.of(await server.pipelines.get(name)))


@router.post(
    "/{name}/cancel",
    responses=good(BulkDone, "How many were live, and what became of how many.")
    | bad(*WRITING, 404),
    openapi_extra=takes(CancelRequest, {"kill": True, "reason": "a typo"}, required=False),
)
async def cancel_pipeline(request: Request, server: ServerDep, name: NamePath) -> Response:
    """Cancel every task of a pipeline that has not ended, as a single task is cancelled."""
    wanted = await body_of(request, read_cancel_request, server.settings.limits, is_optional=True)
    done = await server.pipelines.cancel(name, kill=wanted.kill, reason=wanted.reason)
    return answer(done)
