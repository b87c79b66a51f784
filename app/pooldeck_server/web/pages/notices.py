"""The notices above every page: anew for a page that is open, and who has seen them."""

from dataclasses import dataclass

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from pooldeck_server.web.http.dependencies import ServerDep, SightDep
from pooldeck_server.web.http.redirects import own_path
from pooldeck_server.web.pages.shared.attention import Attention, attention
from pooldeck_server.web.pages.shared.posting import posted
from pooldeck_server.web.pages.shared.rendering import Fragment, page_router, render
from pooldeck_server.web.text.notices import said_in_english

router = page_router()


@dataclass(frozen=True)
class NoticesFragment(Fragment):
    """The notices anew, for a page that is open."""

    template = "shared/notices.html"

    attention: Attention
    now: int


@router.get("/notices")
async def notices(
    request: Request, server: ServerDep, sight: SightDep, page: str = "/"
) -> Response:
    found = attention(server, sight.frame(server.frames.latest()), own_path(page))
    return render(request, NoticesFragment(found, server.clock.now()))


@router.post("/notices/seen")
async def see(request: Request, server: ServerDep) -> Response:
    form = await posted(request)
    await server.seen_notices.see(form.get("key", ""), said_in_english)
    return RedirectResponse(own_path(form.get("next", "/")), status_code=303)


@router.post("/notices/unseen")
async def unsee(request: Request, server: ServerDep) -> Response:
    form = await posted(request)
    await server.seen_notices.unsee(form.get("key", ""))
    return RedirectResponse(own_path(form.get("next", "/")), status_code=303)
