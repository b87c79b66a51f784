"""Changes of many tasks: how many are cancelled, retried or deleted is said and confirmed first."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from msgspec.structs import replace
from starlette.datastructures import QueryParams

from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.domain.tasks.states import FINAL, LIVE, State
from pooldeck_server.domain.tasks.submission import BulkDone
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from pooldeck_server.web.http.dependencies import ServerDep, SightDep
from pooldeck_server.web.http.redirects import own_path
from pooldeck_server.web.http.sight import Sight
from pooldeck_server.web.pages.shared.address import LATEST
from pooldeck_server.web.pages.shared.flash import numbers
from pooldeck_server.web.pages.shared.posting import done, posted, reason, whole
from pooldeck_server.web.pages.shared.rendering import page_router, render
from pooldeck_server.web.pages.tasks import confirm
from pooldeck_server.web.pages.tasks.address import TaskListQuery, href, read_filter
from pooldeck_server.web.pages.tasks.confirm import BEFORE, CHOSEN, Meant

router = page_router()

_MOST_CHOSEN: Final = 1000


@router.get("/tasks/cancel")
async def ask_to_cancel(request: Request, server: ServerDep, sight: SightDep) -> Response:
    return render(request, confirm.cancel(await _matching(request, server, sight, final=False)))


@router.get("/tasks/retry")
async def ask_to_retry(request: Request, server: ServerDep, sight: SightDep) -> Response:
    return render(request, confirm.retry(await _matching(request, server, sight, final=True)))


@router.get("/tasks/delete")
async def ask_to_delete(request: Request, server: ServerDep, sight: SightDep) -> Response:
    return render(request, confirm.delete(await _matching(request, server, sight, final=True)))


@router.post("/tasks/chosen/delete")
async def ask_to_delete_chosen(request: Request, server: ServerDep, sight: SightDep) -> Response:
    return render(request, confirm.delete(await _chosen_in(request, server, sight, FINAL)))


@router.post("/tasks/delete")
async def delete(request: Request, server: ServerDep) -> Response:
    form = await posted(request)
    meant, back = _meant(form)
    deleted = await server.deletions.delete(meant, reason(form))
    if isinstance(deleted, BulkDone):
        return _show(back, deleted)
    return done("/retention", "deleting", fragment="deletion")


@router.post("/tasks/chosen/cancel")
async def ask_to_cancel_chosen(request: Request, server: ServerDep, sight: SightDep) -> Response:
    return render(request, confirm.cancel(await _chosen_in(request, server, sight, LIVE)))


@router.post("/tasks/chosen/retry")
async def ask_to_retry_chosen(request: Request, server: ServerDep, sight: SightDep) -> Response:
    return render(request, confirm.retry(await _chosen_in(request, server, sight, FINAL)))


@router.post("/tasks/cancel")
async def cancel(request: Request, server: ServerDep, sight: SightDep) -> Response:
    form = await posted(request)
    meant, back = _meant(form)
    meant = await sight.meant(meant, server)
    done = await server.tasks.cancel_all(meant, kill="kill" in form, reason=reason(form))
    return _show(back, done)


@router.post("/tasks/retry")
async def retry(request: Request, server: ServerDep, sight: SightDep) -> Response:
    form = await posted(request)
    meant, back = _meant(form)
    meant = await sight.meant(meant, server)
    return _show(back, await server.tasks.retry_all(meant, reason(form)))


def _meant(form: QueryParams) -> tuple[TaskFilter | Sequence[str], str]:
    """Return which tasks a confirmed form is for, and where to go afterwards.

    Of a filter, those that were there when their number was said.
    """
    if CHOSEN in form:
        return _chosen(form), _back(form)
    now = whole(form, BEFORE, 0, LATEST)
    wanted = read_filter(form, now)
    return _until(wanted, now), href(TaskListQuery(wanted))


def _until(wanted: TaskFilter, now: int) -> TaskFilter:
    return replace(wanted, until=now if wanted.until is None else min(now, wanted.until))


def _chosen(form: QueryParams) -> list[str]:
    ids = list(dict.fromkeys(form.getlist(CHOSEN)))
    if not ids:
        raise InvalidRequest("no task was chosen: tick those that you mean, then try again")
    if len(ids) > _MOST_CHOSEN:
        raise InvalidRequest(f"{len(ids)} tasks are more than the {_MOST_CHOSEN} of one choice")
    return ids


async def _matching(request: Request, server: Server, sight: Sight, *, final: bool) -> Meant:
    now = server.clock.now()
    wanted = read_filter(request.query_params, now)
    own = await sight.narrowed(_until(wanted, now), server)
    number = await server.tasks.count(own, final=final)
    return confirm.all_matching(wanted, number, now)


async def _chosen_in(
    request: Request, server: Server, sight: Sight, possible: frozenset[State]
) -> Meant:
    """Return the chosen tasks, of which those in one of the `possible` states can be changed."""
    form = await posted(request)
    ids = await sight.own(_chosen(form), server)
    found = await server.read(queries.named, ids)
    states = tuple(ref.state for ref in found if ref.state in possible)
    return confirm.chosen(ids, states, _back(form))


def _back(form: QueryParams) -> str:
    return own_path(form.get("back", "/tasks"))


def _show(back: str, done: BulkDone) -> Response:
    more = urlencode(numbers(done))
    return RedirectResponse(f"{back}{'&' if '?' in back else '?'}{more}", status_code=303)
