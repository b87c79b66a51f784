"""The log of actions: who did what to what. It can be read and exported, and changed by nobody."""

from datetime import datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from msgspec import Meta, Struct

from pooldeck_server.domain.actions import ActionFilter, Deed, TargetKind
from pooldeck_server.store import queries
from pooldeck_server.web.api.action_export import exported
from pooldeck_server.web.api.csv_rows import FORMATS
from pooldeck_server.web.api.queries import Cursor, PageSize, asks, moment, read_query
from pooldeck_server.web.api.schemas.actions import ActionList, LoggedAction
from pooldeck_server.web.http.dependencies import DEFAULT_LIMIT, ServerDep
from pooldeck_server.web.http.responses import READING, Responses, answer, bad, good

router = APIRouter(prefix="/actions", tags=["observing"])

_LONGEST: Final = 200
_TEXT: Final = {"schema": {"type": "string"}}
_FILE: Responses = {
    200: {
        "description": "All that fit, newest first, as they are sent.",
        "content": dict.fromkeys(FORMATS.values(), _TEXT),
    }
}


class ActionConditions(Struct, frozen=True, forbid_unknown_fields=True):
    """Which actions are meant: several deeds add up, different filters narrow."""

    actor: Annotated[str, Meta(max_length=_LONGEST, description="Who did it, exactly.")] | None = (
        None
    )
    deed: Annotated[tuple[Deed, ...], Meta(max_length=len(Deed))] = ()
    target_kind: TargetKind | None = None
    target: (
        Annotated[str, Meta(max_length=_LONGEST, description="To what, by its name or id.")] | None
    ) = None
    since: Annotated[datetime, Meta(tz=True, description="Then or later.")] | None = None
    until: Annotated[datetime, Meta(tz=True, description="Before then.")] | None = None
    q: (
        Annotated[
            str,
            Meta(max_length=_LONGEST, description="In names, targets, addresses and reasons."),
        ]
        | None
    ) = None

    @property
    def filter(self) -> ActionFilter:
        return ActionFilter(
            actor=self.actor,
            deeds=self.deed,
            target_kind=self.target_kind,
            target=self.target,
            since=moment(self.since),
            until=moment(self.until),
            text=self.q,
        )


class ActionQuery(ActionConditions, frozen=True, forbid_unknown_fields=True):
    """A page of them."""

    limit: PageSize = DEFAULT_LIMIT
    cursor: Cursor | None = None


class ExportQuery(ActionConditions, frozen=True, forbid_unknown_fields=True):
    """All of them, in a format."""

    format: Literal["csv", "jsonl"] = "csv"


@router.get(
    "",
    responses=good(ActionList, "A page, newest first.") | bad(*READING),
    openapi_extra=asks(ActionQuery),
)
async def list_actions(server: ServerDep, request: Request) -> Response:
    """List who did what to what, newest first."""
    asked = read_query(ActionQuery, request)
    page = await server.read(queries.actions, asked.filter, asked.limit, asked.cursor)
    return answer(ActionList(list(map(LoggedAction.of, page.items)), page.next_cursor))


@router.get(
    "/export",
    responses=_FILE | bad(*READING),
    openapi_extra=asks(ExportQuery),
)
async def export_actions(server: ServerDep, request: Request) -> Response:
    """Export who did what to what, as CSV for a spreadsheet or as lines of JSON."""
    asked = read_query(ExportQuery, request)
    name = f"actions.{asked.format}"
    return StreamingResponse(
        exported(server, asked.filter, asked.format),
        media_type=FORMATS[asked.format],
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )
