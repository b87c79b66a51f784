"""The list of tasks, and what completes the words typed in its search box."""

from typing import Final

from fastapi import Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from msgspec.structs import replace

from pooldeck.outcome import ErrorKind
from pooldeck_server.domain.access import fitting
from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from pooldeck_server.web.http.dependencies import ServerDep, SightDep
from pooldeck_server.web.http.errors import STATUS
from pooldeck_server.web.http.redirects import own_path
from pooldeck_server.web.http.sight import Sight
from pooldeck_server.web.pages.shared.posting import posted
from pooldeck_server.web.pages.shared.rendering import page_router, render
from pooldeck_server.web.pages.tasks.address import (
    TaskListQuery,
    has_keyed_words,
    href,
    read_view,
    searched,
)
from pooldeck_server.web.pages.tasks.columns import (
    COOKIE,
    COOKIE_SECONDS,
    as_text,
    kept_columns,
    posted_columns,
)
from pooldeck_server.web.pages.tasks.completion import MOST, completions, parted
from pooldeck_server.web.pages.tasks.data import nothing, read
from pooldeck_server.web.pages.tasks.snippets import snippets
from pooldeck_server.web.pages.tasks.view import tasks_view
from pooldeck_server.web.text import formats

router = page_router()

_LONGEST_WORD: Final = 200


@router.get("/tasks")
async def tasks(request: Request, server: ServerDep, sight: SightDep, cursor: str = "") -> Response:
    now, columns, names = server.clock.now(), kept_columns(request), _names(server, sight)
    try:
        view = read_view(request.query_params)
    except InvalidRequest as error:
        shown = tasks_view(
            TaskListQuery(),
            nothing(await server.read(queries.counts)) if sight.is_whole else nothing(()),
            names,
            is_first=False,
            columns=columns,
            problem=formats.sentence(error.detail),
            typed=searched(request.query_params),
        )
        return render(request, shown, STATUS[InvalidRequest])
    if has_keyed_words(request.query_params):
        return RedirectResponse(href(view), status_code=303)
    wanted = await sight.narrowed(view.filter(now), server)
    found = await server.read(read, view, wanted, cursor or None, counts_all=sight.is_whole)
    found = replace(found, page=replace(found.page, items=sight.tasks(found.page.items)))
    shown = tasks_view(
        view,
        found,
        names,
        is_first=not cursor,
        columns=columns,
        now=now,
        snippets=snippets(request, view, now, sight),
        waits=server.waiting.of_all(found.page.items),
    )
    return render(request, shown)


@router.post("/tasks/columns")
async def choose_columns(request: Request) -> Response:
    """Keep in the browser which columns the list has; without any it has the usual ones again."""
    form = await posted(request)
    response = RedirectResponse(own_path(form.get("back", "/tasks")), status_code=303)
    response.set_cookie(
        COOKIE,
        as_text(posted_columns(form)),
        max_age=COOKIE_SECONDS,
        httponly=True,
        samesite="strict",
        secure=request.scope["scheme"] == "https",
    )
    return response


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
