"""The list of tasks, and what completes the words typed in its search box."""

from typing import Final

from fastapi import Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from pooldeck.outcome import ErrorKind
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.pages.shared.rendering import page_router, render
from pooldeck_server.web.pages.tasks.address import has_keyed_words, href, read_view
from pooldeck_server.web.pages.tasks.completion import MOST, completions, parted
from pooldeck_server.web.pages.tasks.data import read
from pooldeck_server.web.pages.tasks.view import tasks_view

router = page_router()

_LONGEST_WORD: Final = 200


@router.get("/tasks")
async def tasks(request: Request, server: ServerDep, cursor: str = "") -> Response:
    view = read_view(request.query_params)
    if has_keyed_words(request.query_params):
        return RedirectResponse(href(view), status_code=303)
    found = await server.read(read, view, cursor or None, server.clock.now())
    return render(request, tasks_view(view, found, _names(server), is_first=not cursor))


@router.get("/complete.json")
async def complete(server: ServerDep, q: str = "") -> Response:
    word = q.strip()[:_LONGEST_WORD]
    kinds, start = parted(word)
    names = _names(server) | {"state": [state.value for state in State]}
    if "tag" in kinds:
        names["tag"] = await server.read(queries.tags, start, MOST)
    return JSONResponse([vars(each) for each in completions(word, names)])


def _names(server: Server) -> dict[str, list[str]]:
    return {
        "function": [function.spec.name for function in server.catalogue.functions()],
        "pool": list(server.settings.pools),
        "error": [kind.value for kind in ErrorKind],
    }
