"""The search in the logs of all tasks."""

from dataclasses import dataclass
from typing import Final

from fastapi import Request, Response
from msgspec.structs import replace

from pooldeck_server.domain.access import fitting
from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.tasks.filter import MAX_TEXT
from pooldeck_server.domain.tasks.log import LEVELS, Level
from pooldeck_server.domain.tasks.log_search import FoundLines, LogSearch
from pooldeck_server.store import queries
from pooldeck_server.web.http.dependencies import ServerDep, SightDep
from pooldeck_server.web.http.errors import STATUS
from pooldeck_server.web.pages.shared.address import address, further
from pooldeck_server.web.pages.shared.log_lines import read_level
from pooldeck_server.web.pages.shared.rendering import Page, page_router, render
from pooldeck_server.web.text import formats

router = page_router()

PATH: Final = "/logs"
_PAGE_SIZE: Final = 100


@dataclass(frozen=True)
class LogSearchView(Page):
    """What is looked for, and the lines that were found; None where nothing is looked for.

    `problem` is what is wrong with what is looked for.
    """

    template = "logs/page.html"
    section = "tasks"

    wanted: LogSearch
    problem: str
    found: FoundLines | None
    is_first: bool
    older_href: str | None
    newest_href: str
    functions: tuple[str, ...]
    levels: tuple[Level, ...] = LEVELS


@router.get(PATH)
async def logs(request: Request, server: ServerDep, sight: SightDep) -> Response:
    query = request.query_params
    wanted = LogSearch((query.get("q") or "").strip()[:MAX_TEXT], query.get("function") or None)
    cursor = query.get("cursor") or None
    problem, found = "", None
    try:
        wanted = replace(wanted, level=read_level(query.get("level") or None))
        if wanted.text:
            found = await server.read(queries.search_logs, wanted, _PAGE_SIZE, cursor)
    except InvalidRequest as error:
        problem = formats.sentence(error.detail)
    functions = (each.spec.name for each in server.catalogue.functions())
    shown = LogSearchView(
        wanted=wanted,
        problem=problem,
        found=found,
        is_first=cursor is None,
        older_href=further(PATH, _pairs(wanted), found.next_cursor) if found else None,
        newest_href=address(PATH, _pairs(wanted)),
        functions=tuple(fitting(sight.principal.functions, functions)),
    )
    return render(request, shown, STATUS[InvalidRequest] if problem else 200)


def _pairs(wanted: LogSearch) -> list[tuple[str, str]]:
    given = {"q": wanted.text, "function": wanted.function, "level": wanted.level}
    return [(name, value) for name, value in given.items() if value]
