"""What is kept and for how long: the rules, and the word for old tasks."""

from typing import Any, Final, Literal

from fastapi import APIRouter, Request, Response

from pooldeck_server.domain.clock import seconds
from pooldeck_server.domain.retention import RetentionRules
from pooldeck_server.runtime.server import Server
from pooldeck_server.settings import LimitSettings
from pooldeck_server.store import queries
from pooldeck_server.web.api.bodies import read
from pooldeck_server.web.api.reading import body_of
from pooldeck_server.web.api.schemas.retention import RetentionInfo
from pooldeck_server.web.api.schemas.types import optional_timestamp
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.http.responses import CHANGING, READING, WRITING, answer, bad, good, takes

router = APIRouter(prefix="/retention", tags=["retention"])

_RULES: Final[dict[str, Any]] = {
    "succeeded": 14,
    "failed": 90,
    "most": 500_000,
    "functions": [{"pattern": "examples.pictures.*", "days": 7, "most": 10_000}],
}


@router.get("", responses=good(RetentionInfo, "Rules and room.") | bad(*READING))
async def show_retention(server: ServerDep) -> Response:
    """Tell how long tasks are kept, and how much room all of it takes."""
    return answer(await _info(server))


@router.put(
    "",
    responses=good(RetentionInfo, "The rules that count now.") | bad(*WRITING),
    openapi_extra=takes(RetentionRules, _RULES),
)
async def set_retention(request: Request, server: ServerDep) -> Response:
    """Set the rules, all of them: what is left out gets its default, not that of the settings.

    They count from now on, and go before the settings until they are taken back.
    """
    await server.retention.set_rules(await body_of(request, _read_rules, server.settings.limits))
    return answer(await _info(server))


@router.delete("", responses=good(RetentionInfo, "The rules that count now.") | bad(*CHANGING))
async def reset_retention(server: ServerDep) -> Response:
    """Take back rules that were set: those of the settings count again."""
    await server.retention.set_rules(None)
    return answer(await _info(server))


@router.post(
    "/allow", responses=good(RetentionInfo, "The rules are followed now.") | bad(*CHANGING, 409)
)
async def allow_retention(server: ServerDep) -> Response:
    """Say that tasks from before there was retention may be deleted by the rules."""
    await server.retention.allow()
    return answer(await _info(server))


@router.post(
    "/vouch", responses=good(RetentionInfo, "The clock counts as it is.") | bad(*CHANGING, 409)
)
async def vouch_for_clock(server: ServerDep) -> Response:
    """Say that the server's clock is right, although it went far ahead at once."""
    await server.retention.vouch()
    return answer(await _info(server))


def _read_rules(body: bytes, limits: LimitSettings) -> RetentionRules:
    return read(RetentionRules, body, limits)


async def _info(server: Server) -> RetentionInfo:
    retention, storage = server.retention, server.storage
    kept, leap = retention.kept, retention.vouched.leap
    source: Literal["settings", "set"] = "settings" if kept.rules is None else "set"
    return RetentionInfo(
        rules=retention.rules,
        source=source,
        changed_at=optional_timestamp(kept.changed_at),
        waits_for_a_word=retention.waits_for_a_word,
        clock_ahead_seconds=None if leap is None else seconds(leap.to - leap.since),
        last_look_at=optional_timestamp(retention.last_at),
        last_deleted=retention.last_number,
        kept=await server.read(queries.count_kept),
        file_bytes=storage.room.bytes,
        free_bytes=storage.room.free_bytes,
        wal_bytes=server.database.wal_bytes,
        disk_free_bytes=storage.disk_free_bytes,
        is_disk_low=storage.is_low,
        growth_per_day=storage.growth_per_day,
    )
