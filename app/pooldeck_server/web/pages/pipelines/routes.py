"""Pipelines: the list, one of them, and cancelling it."""

from fastapi import APIRouter, Request, Response

from pooldeck_server.store import queries
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.pages.pipelines.view import (
    FLASHES,
    PAGE_SIZE,
    cancel_pipeline,
    pipeline_context,
    pipelines_context,
)
from pooldeck_server.web.pages.shared.flash import flash
from pooldeck_server.web.pages.shared.page_route import PageRoute
from pooldeck_server.web.pages.shared.posting import done, posted
from pooldeck_server.web.pages.shared.rendering import confirmation, page

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/pipelines")
async def pipelines(request: Request, server: ServerDep, cursor: str = "") -> Response:
    """Show pipelines, the newest first."""
    found = await server.read(queries.pipelines, PAGE_SIZE, cursor or None)
    context = pipelines_context(found, is_first=not cursor)
    return page(request, "pipelines", "pipelines.html", context)


@router.get("/pipelines/{pipeline_id}")
async def pipeline(request: Request, server: ServerDep, pipeline_id: str) -> Response:
    """Show one pipeline: its steps as a drawing, and how far they are."""
    context = pipeline_context(await server.pipelines.get(pipeline_id))
    context["flashed"] = flash(request.query_params, FLASHES)
    return page(request, "pipelines", "pipeline.html", context)


@router.get("/pipelines/{pipeline_id}/cancel")
async def ask_to_cancel(request: Request, server: ServerDep, pipeline_id: str) -> Response:
    """Say what cancelling a pipeline means, and ask."""
    found = await server.pipelines.get(pipeline_id)
    return confirmation(request, cancel_pipeline(found))


@router.post("/pipelines/{pipeline_id}/cancel")
async def cancel(request: Request, server: ServerDep, pipeline_id: str) -> Response:
    """Cancel what has not ended of a pipeline; the form may say to kill it, and why."""
    form = await posted(request)
    why = form.get("reason", "").strip() or None
    kill = "kill" in form
    await server.pipelines.cancel(pipeline_id, kill=kill, reason=why)
    return done(f"/pipelines/{pipeline_id}", "killed" if kill else "cancelled")
