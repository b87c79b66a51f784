"""Cancelling and retrying all tasks that match: how many that are is said and confirmed first."""

from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from msgspec.structs import replace
from starlette.datastructures import QueryParams

from app.domain.submissions import BulkDone
from app.domain.tasks import TaskFilter
from app.web.contexts.confirm import BEFORE, cancel_matching, retry_matching
from app.web.contexts.tasks import address, pairs, read_filter
from app.web.contexts.told import numbers
from app.web.dependencies import ServiceDep
from app.web.page_route import PageRoute
from app.web.pages.posting import posted, whole
from app.web.rendering import confirmation

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_LATEST: Final = 10**16  # microseconds since the epoch: the year 2286


@router.get("/tasks/cancel")
async def ask_to_cancel(request: Request, service: ServiceDep) -> Response:
    """Say how many tasks would be cancelled, and ask."""
    wanted, now = read_filter(request.query_params), service.clock.now()
    number = await service.count_matching(replace(wanted, until=now), final=False)
    return confirmation(request, cancel_matching(wanted, number, now))


@router.post("/tasks/cancel")
async def cancel(request: Request, service: ServiceDep) -> Response:
    """Cancel them, and show their list with what became of them."""
    form = await posted(request)
    wanted = read_filter(form)
    done = await service.cancel_matching(_meant(wanted, form), kill="kill" in form)
    return _show(wanted, done)


@router.get("/tasks/retry")
async def ask_to_retry(request: Request, service: ServiceDep) -> Response:
    """Say how many tasks would be run again, and ask."""
    wanted, now = read_filter(request.query_params), service.clock.now()
    number = await service.count_matching(replace(wanted, until=now), final=True)
    return confirmation(request, retry_matching(wanted, number, now))


@router.post("/tasks/retry")
async def retry(request: Request, service: ServiceDep) -> Response:
    """Queue them again, and show their list with what became of them."""
    form = await posted(request)
    wanted = read_filter(form)
    return _show(wanted, await service.retry_matching(_meant(wanted, form)))


def _meant(wanted: TaskFilter, form: QueryParams) -> TaskFilter:
    """Return the filter for those tasks that were there when their number was said."""
    return replace(wanted, until=whole(form, BEFORE, 0, _LATEST))


def _show(wanted: TaskFilter, done: BulkDone) -> Response:
    where = address("/tasks", [*pairs(wanted), *numbers(done)])
    return RedirectResponse(where, status_code=303)
