"""The choice of the time zone in which the pages tell times; the browser remembers it."""

from dataclasses import dataclass
from itertools import groupby

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.web.http.redirects import own_path
from pooldeck_server.web.http.time_zone import (
    COOKIE,
    COOKIE_SECONDS,
    LOCAL,
    browser_zone,
    choice_of,
    to_cookie,
)
from pooldeck_server.web.pages.shared.posting import posted
from pooldeck_server.web.pages.shared.rendering import Page, page_router, render
from pooldeck_server.web.text.zones import UTC_NAME, is_zone, zone_names

router = page_router()
_OTHER = "other"


@dataclass(frozen=True)
class TimeZoneView(Page):
    """What can be chosen: the browser's zone, if it has said it, UTC, or one of `regions`."""

    template = "time_zone.html"
    section = "deck"

    browser: str | None
    choice: str
    regions: tuple[tuple[str, tuple[str, ...]], ...]
    next: str


@router.get("/time-zone")
async def ask(request: Request) -> Response:
    view = TimeZoneView(
        browser=browser_zone(request.scope),
        choice=choice_of(request.scope),
        regions=_regions(),
        next=own_path(request.query_params.get("next", "/")),
    )
    return render(request, view)


@router.post("/time-zone")
async def choose(request: Request) -> Response:
    form = await posted(request)
    chosen = form.get("zone", LOCAL)
    if chosen == _OTHER:
        chosen = form.get("other", "").strip()
    if chosen != LOCAL and not is_zone(chosen):
        raise InvalidRequest(f'there is no time zone "{chosen[:60]}"; one is "Europe/Berlin"')
    response = RedirectResponse(own_path(form.get("next", "/")), 303)
    response.set_cookie(
        COOKIE,
        to_cookie(chosen),
        max_age=COOKIE_SECONDS,
        httponly=True,
        samesite="strict",
        secure=request.scope["scheme"] == "https",
    )
    return response


def _regions() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the names of all zones by the region that they begin with, in their order."""
    names = sorted(zone_names() - {UTC_NAME}, key=lambda name: ("/" not in name, name))
    regions = groupby(names, key=lambda name: name.partition("/")[0] if "/" in name else "")
    return tuple((region, tuple(found)) for region, found in regions)
