"""The list of tasks, and what completes the words typed in its search box."""

from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from pooldeck.outcome import ErrorKind
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.pages.shared.flash import flash_of_many
from pooldeck_server.web.pages.shared.page_route import PageRoute
from pooldeck_server.web.pages.shared.rendering import page
from pooldeck_server.web.pages.tasks.address import TaskListView, has_keyed_words, href, read_view
from pooldeck_server.web.pages.tasks.completion import MOST, completions, parted
from pooldeck_server.web.pages.tasks.view import FLASHES, PAGE_SIZE, tasks_context

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_LONGEST_WORD: Final = 200


@router.get("/tasks")
async def tasks(request: Request, server: ServerDep) -> Response:
    """Show the tasks that fit a filter, a page at a time."""
    view = read_view(request.query_params)
    if has_keyed_words(request.query_params):
        return RedirectResponse(href(view), status_code=303)
    wanted = view.filter(server.clock.now())
    cursor = request.query_params.get("cursor") or None
    found = await server.read(queries.tasks, wanted, PAGE_SIZE, cursor, sort=view.sort)
    context = tasks_context(
        view,
        found,
        await server.read(queries.total, wanted),
        await server.read(queries.counts),
        _names(server),
        is_first=cursor is None,
    )
    context["flashed"] = flash_of_many(request.query_params, FLASHES)
    context["not_indexed"] = await _not_indexed(server, view)
    return page(request, "tasks", "tasks.html", context)


async def _not_indexed(server: Server, view: TaskListView) -> int:
    """Return how many tasks a search has to look at one by one, if that is more than one page."""
    if view.wanted.text is None:
        return 0
    number = await server.read(queries.not_indexed)
    return number if number > queries.SCAN_LIMIT else 0


@router.get("/complete.json")
async def complete(server: ServerDep, q: str = "") -> Response:
    """Say what the word `q` of a search may become."""
    word = q.strip()[:_LONGEST_WORD]
    kinds, start = parted(word)
    names = _names(server) | {"state": [state.value for state in State]}
    if "tag" in kinds:
        names["tag"] = await server.read(queries.tags, start, MOST)
    found = completions(word, names)
    return JSONResponse(
        [{"kind": each.kind, "value": each.value, "word": each.word} for each in found]
    )


def _names(server: Server) -> dict[str, list[str]]:
    """Return the names to choose from, by the parameters that they are values of."""
    return {
        "function": [function.spec.name for function in server.catalogue.functions()],
        "pool": list(server.settings.pools),
        "error": [kind.value for kind in ErrorKind],
    }
