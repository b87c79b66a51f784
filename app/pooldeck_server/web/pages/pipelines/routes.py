"""Pipelines: the list, one of them, and cancelling it."""

from typing import Final

from fastapi import Request, Response

from pooldeck_server.store import queries
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.pages.pipelines.view import (
    cancel_pipeline,
    pipeline_view,
    pipelines_view,
)
from pooldeck_server.web.pages.shared.posting import done, posted, reason
from pooldeck_server.web.pages.shared.rendering import page_router, render

router = page_router()

_PAGE_SIZE: Final = 20


@router.get("/pipelines")
async def pipelines(request: Request, server: ServerDep, cursor: str = "") -> Response:
    found = await server.read(queries.pipelines, _PAGE_SIZE, cursor or None)
    return render(request, pipelines_view(found, is_first=not cursor))


@router.get("/pipelines/{pipeline_id}")
async def pipeline(request: Request, server: ServerDep, pipeline_id: str) -> Response:
    return render(request, pipeline_view(await server.pipelines.get(pipeline_id)))


@router.get("/pipelines/{pipeline_id}/cancel")
async def ask_to_cancel(request: Request, server: ServerDep, pipeline_id: str) -> Response:
    return render(request, cancel_pipeline(await server.pipelines.get(pipeline_id)))


@router.post("/pipelines/{pipeline_id}/cancel")
async def cancel(request: Request, server: ServerDep, pipeline_id: str) -> Response:
    form = await posted(request)
    kill = "kill" in form
    await server.pipelines.cancel(pipeline_id, kill=kill, reason=reason(form))
    return done(f"/pipelines/{pipeline_id}", "killed" if kill else "cancelled")
