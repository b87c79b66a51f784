"""One task: what became of it, what can be done with it, where it is."""

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.domain.health import PoolHealth
from app.runtime.service import Service
from app.store import queries
from app.web.contexts.confirm import kill_task
from app.web.contexts.task import LOG_LINES, SAID, Reading, task_context
from app.web.contexts.told import told
from app.web.dependencies import ServiceDep
from app.web.page_route import PageRoute
from app.web.pages.posting import done
from app.web.rendering import confirmation, page
from app.web.schemas.attempts import STACK_UNKNOWN

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/tasks/{task_id}")
async def task(
    request: Request,
    service: ServiceDep,
    task_id: str,
    attempt: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """Show one task, with the log of an attempt, by default of the latest."""
    context = task_context(await _read(service, task_id, attempt))
    context["told"] = told(request.query_params, SAID)
    return page(request, "tasks", "task.html", context)


@router.post("/tasks/{task_id}/cancel")
async def cancel(service: ServiceDep, task_id: str) -> Response:
    """Cancel a task, or ask it to end itself where it runs."""
    return done(f"/tasks/{task_id}", (await service.cancel(task_id)).outcome)


@router.get("/tasks/{task_id}/kill")
async def ask_to_kill(request: Request, service: ServiceDep, task_id: str) -> Response:
    """Say what killing a task means, and ask."""
    found = await service.task(task_id)
    kinds = {pool.name: pool.kind for pool in service.pools()}
    return confirmation(request, kill_task(found, kinds.get(found.pool)))


@router.post("/tasks/{task_id}/kill")
async def kill(service: ServiceDep, task_id: str) -> Response:
    """Kill a task that runs."""
    return done(f"/tasks/{task_id}", (await service.cancel(task_id, kill=True)).outcome)


@router.post("/tasks/{task_id}/retry")
async def retry(service: ServiceDep, task_id: str) -> Response:
    """Run a task that has ended again."""
    await service.retry(task_id)
    return done(f"/tasks/{task_id}", "retried")


@router.get("/tasks/{task_id}/stack")
async def stack(request: Request, service: ServiceDep, task_id: str) -> Response:
    """Show where a running task is at this moment."""
    found = await service.stack(task_id)
    context = {"task": found.task, "text": found.text, "detail": STACK_UNKNOWN}
    return page(request, "tasks", "stack.html", context)


async def _read(service: Service, task_id: str, attempt: int | None) -> Reading:
    found = await service.task(task_id)
    callable_names = {
        function.spec.name for function in service.catalogue.functions() if function.problem is None
    }
    return Reading(
        task=found,
        attempts=await service.read(queries.attempts, task_id),
        logs=await service.read(queries.logs, task_id, 0, LOG_LINES + 1, attempt),
        attempt=attempt,
        are_erased=await service.read(queries.are_arguments_erased, task_id),
        is_asked=_is_asked(service.pools(), task_id),
        is_callable=found.function in callable_names,
    )


def _is_asked(pools: Iterable[PoolHealth], task_id: str) -> bool:
    """Tell whether a task runs that was asked to end itself."""
    return any(
        slot.task == task_id and slot.cancel_requested
        for pool in pools
        for worker in pool.workers
        for slot in worker.slots
    )
