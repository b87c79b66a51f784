"""The pages that look: each reads what its context needs and renders the template of its name."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from app.store import queries
from app.web import function_page
from app.web.contexts.deck import MINUTES, deck_context, throughput
from app.web.contexts.functions import functions_context
from app.web.contexts.task import LOG_LINES, task_context
from app.web.contexts.tasks import PAGE_SIZE, read_filter, tasks_context
from app.web.dependencies import ServiceDep
from app.web.page_route import PageRoute
from app.web.rendering import page

_MINUTE = 60_000_000  # microseconds

router = APIRouter(include_in_schema=False, route_class=PageRoute)
router.include_router(function_page.router)


@router.get("/")
async def deck(request: Request, service: ServiceDep) -> Response:
    """Show the pools and their workers."""
    return page(request, "deck", "deck.html", deck_context(service.feed.latest()))


@router.get("/throughput.json")
async def throughput_data(service: ServiceDep) -> Response:
    """Give the chart of the deck its numbers."""
    minute = service.clock.now() // _MINUTE
    rows = await service.read(queries.activity, minute - MINUTES + 1)
    return JSONResponse(throughput(rows, minute))


@router.get("/tasks")
async def tasks(request: Request, service: ServiceDep) -> Response:
    """Show the tasks that fit a filter, newest first."""
    wanted = read_filter(request.query_params)
    cursor = request.query_params.get("cursor") or None
    found = await service.read(queries.tasks, wanted, PAGE_SIZE, cursor)
    choices = {
        "function": [function.spec.name for function in service.catalogue.functions()],
        "pool": list(service.settings.pools),
    }
    counts = service.feed.latest().counts
    context = tasks_context(wanted, found, counts, choices, is_first=cursor is None)
    return page(request, "tasks", "tasks.html", context)


@router.get("/tasks/{task_id}")
async def task(request: Request, service: ServiceDep, task_id: str) -> Response:
    """Show one task."""
    found = await service.task(task_id)
    logs = await service.read(queries.logs, task_id, 0, LOG_LINES + 1)
    callable_names = {
        function.spec.name for function in service.catalogue.functions() if function.problem is None
    }
    context = task_context(found, logs, is_callable=found.function in callable_names)
    return page(request, "tasks", "task.html", context)


@router.post("/tasks/{task_id}/cancel")
async def cancel(service: ServiceDep, task_id: str) -> Response:
    """Cancel a task that has not started, and show what became of it."""
    await service.cancel(task_id)
    return RedirectResponse(f"/tasks/{task_id}", status_code=303)


@router.get("/functions")
async def functions(request: Request, service: ServiceDep) -> Response:
    """Show what can be called."""
    counts = await service.read(queries.counts)
    catalogue = service.catalogue
    context = functions_context(catalogue.functions(), counts, is_known=catalogue.is_known)
    return page(request, "functions", "functions.html", context)


@router.get("/pools")
async def pools(request: Request, service: ServiceDep) -> Response:
    """Show the pools with their settings and workers."""
    settings = service.settings.pools
    found = [(pool, settings[pool.name]) for pool in service.pools()]
    return page(request, "pools", "pools.html", {"pools": found})
