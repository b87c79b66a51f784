"""The list of tasks, and what completes the words typed in its search box."""

from typing import Final

from fastapi import Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from msgspec.structs import replace

from pooldeck.outcome import ErrorKind
from pooldeck_server.domain.access import fitting
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.http.sight import Sight, SightDep
from pooldeck_server.web.pages.shared.rendering import page_router, render
from pooldeck_server.web.pages.tasks.address import has_keyed_words, href, read_view
from pooldeck_server.web.pages.tasks.completion import MOST, completions, parted
from pooldeck_server.web.pages.tasks.data import read
from pooldeck_server.web.pages.tasks.snippets import snippets
from pooldeck_server.web.pages.tasks.view import tasks_view

router = page_router()

_LONGEST_WORD: Final = 200


@router.get("/tasks")
async def tasks(request: Request, server: ServerDep, sight: SightDep, cursor: str = "") -> Response:
    view = read_view(request.query_params)
    if has_keyed_words(request.query_params):
        return RedirectResponse(href(view), status_code=303)
    now = server.clock.now()
    wanted = await sight.narrowed(view.filter(now), server)
    found = await server.read(read, view, wanted, cursor or None, counts_all=sight.is_whole)
    page = replace(found.page, items=sight.tasks(found.page.items))
    found, names = replace(found, page=page), _names(server, sight)
    copies = snippets(request, view, now, sight)
    waits = server.waiting.of_all(page.items)
    shown = tasks_view(view, found, names, is_first=not cursor, snippets=copies, waits=waits)
    return render(request, shown)


@router.get("/complete.json")
async def complete(server: ServerDep, sight: SightDep, q: str = "") -> Response:
    word = q.strip()[:_LONGEST_WORD]
    kinds, start = parted(word)
    names = _names(server, sight) | {"state": [state.value for state in State]}
    if "tag" in kinds:
        names["tag"] = await server.read(queries.tags, start, MOST)
    return JSONResponse([vars(each) for each in completions(word, names)])


def _names(server: Server, sight: Sight) -> dict[str, list[str]]:
    functions = (function.spec.name for function in server.catalogue.functions())
    return {
        "function": list(fitting(sight.principal.functions, functions)),
        "pool": list(fitting(sight.principal.pools, server.settings.pools)),
        "error": [kind.value for kind in ErrorKind],
    }
