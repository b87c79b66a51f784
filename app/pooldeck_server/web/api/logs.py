"""Searching the logs of all tasks."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from msgspec import Meta, Struct

from pooldeck_server.domain.tasks.filter import MAX_TEXT
from pooldeck_server.domain.tasks.log import Level
from pooldeck_server.domain.tasks.log_search import LogSearch
from pooldeck_server.domain.tasks.names import Name
from pooldeck_server.store import queries
from pooldeck_server.web.api.queries import Cursor, PageSize, asks, read_query
from pooldeck_server.web.api.schemas.logs import FoundLogLines
from pooldeck_server.web.http.dependencies import DEFAULT_LIMIT, ServerDep
from pooldeck_server.web.http.responses import READING, answer, bad, good

router = APIRouter(prefix="/logs", tags=["tasks"])


class LogQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """What is looked for in logs."""

    q: Annotated[
        str,
        Meta(min_length=1, max_length=MAX_TEXT, description="In messages and names of loggers."),
    ]
    function: Name | None = None
    level: Annotated[Level, Meta(description="The least level.")] | None = None
    limit: PageSize = DEFAULT_LIMIT
    cursor: Cursor | None = None


@router.get(
    "",
    responses=good(FoundLogLines, "What was found so far.") | bad(*READING),
    openapi_extra=asks(LogQuery),
)
async def find_log_lines(server: ServerDep, request: Request) -> Response:
    """Search the logs of all tasks, those of the newest first.

    An answer comes after some 50 ms of looking: it says how far it came, and `next_cursor` goes on.
    """
    asked = read_query(LogQuery, request)
    wanted = LogSearch(asked.q, asked.function, asked.level)
    found = await server.read(queries.search_logs, wanted, asked.limit, asked.cursor)
    return answer(FoundLogLines.of(found))
