"""The drain of the whole server: the question, how far it is, and its end."""

from dataclasses import dataclass
from typing import Final

from fastapi import Request, Response

from pooldeck_server.domain.access import ANYBODY
from pooldeck_server.domain.drains import MAX_SECONDS, DrainProgress
from pooldeck_server.domain.pools.annotations import MAX_REASON
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.http.principals import principal_of
from pooldeck_server.web.pages.shared.flash import FLASHES
from pooldeck_server.web.pages.shared.posting import back_or, done, posted, reason, whole
from pooldeck_server.web.pages.shared.rendering import Page, page_router, render
from pooldeck_server.web.text.drain import remaining_words

router = page_router()
_MINUTE: Final = 60
_MOST_MINUTES: Final = MAX_SECONDS // _MINUTE


@dataclass(frozen=True)
class DrainView(Page):
    """How far the drain is, in sentences; None while the server is not drained."""

    template = "drain.html"
    section = "pools"
    flashes = FLASHES["drain"]

    progress: DrainProgress | None
    sentences: tuple[str, ...]
    longest_reason: int = MAX_REASON
    most_minutes: int = _MOST_MINUTES


@router.get("/drain")
async def show_drain(request: Request, server: ServerDep) -> Response:
    """Ask whether the server is to be drained, or show how far that is."""
    found = server.drain.progress()
    sentences = remaining_words(found.running, found.queued, found.about) if found else ()
    return render(request, DrainView(found, sentences))


@router.post("/drain")
async def begin(request: Request, server: ServerDep) -> Response:
    form = await posted(request)
    minutes = form.get("minutes", "").strip()
    server.drain.begin(
        (principal_of(request.scope) or ANYBODY).name,
        reason(form),
        seconds=_MINUTE * whole(form, "minutes", 1, _MOST_MINUTES) if minutes else None,
        stops="stop" in form,
        finishes_queue="finish_queue" in form,
    )
    return done("/drain", "begun")


@router.post("/drain/resume")
async def resume(request: Request, server: ServerDep) -> Response:
    form = await posted(request)
    server.drain.resume((principal_of(request.scope) or ANYBODY).name)
    return back_or(form, done("/drain", "resumed"))
