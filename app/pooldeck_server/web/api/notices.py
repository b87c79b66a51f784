"""What needs attention, and who has seen it."""

from fastapi import APIRouter, Request, Response

from pooldeck_server.runtime.server import Server
from pooldeck_server.web.api.bodies import NoticeKey, read_notice_key
from pooldeck_server.web.api.reading import body_of
from pooldeck_server.web.api.schemas.notices import NoticeList, ShownNotice
from pooldeck_server.web.http.dependencies import ServerDep, SightDep
from pooldeck_server.web.http.responses import READING, WRITING, answer, bad, good, takes
from pooldeck_server.web.http.sight import Sight
from pooldeck_server.web.text.notices import notices, said_in_english

router = APIRouter(prefix="/notices", tags=["live"])

_LIST = good(NoticeList, "All notices.")
_KEY = takes(NoticeKey, {"key": "paused:cpu"})


@router.get("", responses=_LIST | bad(*READING))
async def list_notices(server: ServerDep, sight: SightDep) -> Response:
    """Return what needs attention, the worst first, in the words of the pages."""
    return _all(server, sight)


@router.post("/seen", responses=_LIST | bad(*WRITING, 404), openapi_extra=_KEY)
async def see_notice(request: Request, server: ServerDep, sight: SightDep) -> Response:
    """Say that you have seen a notice: it folds away for everybody until it ends or gets worse."""
    named = await body_of(request, read_notice_key, server.settings.limits)
    await server.seen_notices.see(named.key, said_in_english)
    return _all(server, sight)


@router.post("/unseen", responses=_LIST | bad(*WRITING, 404), openapi_extra=_KEY)
async def unsee_notice(request: Request, server: ServerDep, sight: SightDep) -> Response:
    """Have a notice stand among those that nobody has seen again."""
    named = await body_of(request, read_notice_key, server.settings.limits)
    await server.seen_notices.unsee(named.key)
    return _all(server, sight)


def _all(server: Server, sight: Sight) -> Response:
    frame = sight.frame(server.frames.latest())
    found = notices(frame, server.notices(frame), server.readiness, server.seen_notices)
    return answer(NoticeList(list(map(ShownNotice.of, found))))
