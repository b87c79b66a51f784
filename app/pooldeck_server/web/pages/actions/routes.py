"""The log of actions."""

from typing import Final

from fastapi import Request, Response
from sqlalchemy import Connection

from pooldeck_server.domain.actions import ActionFilter, ActionPage
from pooldeck_server.store import queries
from pooldeck_server.web.api.schemas.types import timestamp
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.pages.actions.view import PATH, actions_view, read_wanted
from pooldeck_server.web.pages.shared.rendering import page_router, render

router = page_router()

_PAGE_SIZE: Final = 50


@router.get(PATH)
async def actions(request: Request, server: ServerDep, cursor: str = "") -> Response:
    wanted, now = read_wanted(request.query_params), server.clock.now()
    asked = wanted.filter(now)
    found, actors = await server.read(_read, asked, cursor or None)
    since = "" if asked.since is None else timestamp(asked.since)
    return render(request, actions_view(found, wanted, actors, since, is_first=not cursor))


def _read(
    connection: Connection, wanted: ActionFilter, cursor: str | None
) -> tuple[ActionPage, list[str]]:
    found = queries.actions(connection, wanted, _PAGE_SIZE, cursor)
    return found, queries.actors(connection, wanted.since or 0)
