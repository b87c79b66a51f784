"""Which time zone a request is answered in: what was chosen, by default the browser's own."""

from typing import Final

from starlette.types import Scope

from pooldeck_server.web.http.cookies import cookie
from pooldeck_server.web.text.zones import UTC_NAME, is_zone

COOKIE: Final = "pooldeck-zone"
BROWSER_COOKIE: Final = "pooldeck-browser-zone"
"""Which zone the browser is in: a script says so (static/js/browser_zone.js)."""

COOKIE_SECONDS: Final = 365 * 24 * 3600
LOCAL: Final = "local"
_SLASH, _KEPT_SLASH = "/", ":"  # cookies hold no slash unless it is quoted


def choice_of(scope: Scope) -> str:
    """Return what was chosen: a zone's name, or `LOCAL` for that of the browser."""
    chosen = from_cookie(cookie(scope, COOKIE))
    return chosen if is_zone(chosen) else LOCAL


def browser_zone(scope: Scope) -> str | None:
    """Return the browser's own zone; None as long as it has not said it, or it is not known."""
    name = from_cookie(cookie(scope, BROWSER_COOKIE))
    return name if is_zone(name) else None


def zone_of(scope: Scope) -> str:
    """Return the zone in which times are told: UTC where that of the browser is not known."""
    choice = choice_of(scope)
    return (browser_zone(scope) or UTC_NAME) if choice == LOCAL else choice


def to_cookie(name: str) -> str:
    return name.replace(_SLASH, _KEPT_SLASH)


def from_cookie(value: str) -> str:
    return value.replace(_KEPT_SLASH, _SLASH)
