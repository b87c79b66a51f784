"""The way to a provider of OpenID Connect and back, as a browser goes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fastapi import Request, Response

from pooldeck_server.domain.errors import NotFound
from pooldeck_server.domain.logins import ATTEMPT_SECONDS, LoginFailed, Why
from pooldeck_server.runtime.server import Server
from pooldeck_server.web.http.cookies import cookie, cookies, names_of_cookies
from pooldeck_server.web.http.credentials import COOKIE
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.http.mount import root_path_of
from pooldeck_server.web.http.principals import put_principal
from pooldeck_server.web.http.redirects import HOME, own_path
from pooldeck_server.web.pages.shared.rendering import Fragment, page_router, render
from pooldeck_server.web.text.logins import failed_login

if TYPE_CHECKING:  # imported only where it is set
    from pooldeck_server.runtime.access.oidc.logins import OidcLogins

router = page_router()

_BEGIN: Final = "/login/oidc"
_CALLBACK: Final = "/login/oidc/callback"
_MOST_TABS: Final = 4  # of one browser that log in at once; the oldest makes room
_MOST_GROUPS: Final = 20  # that are shown
_LONGEST_GROUP: Final = 100  # characters
_STATUS: Final = {
    Why.NOT_BEGUN: 400,
    Why.REFUSED: 403,
    Why.UNREACHABLE: 502,
    Why.NOT_VALID: 403,
    Why.CLOCK: 403,
    Why.NO_ROLE: 403,
    Why.BUSY: 503,
}


@dataclass(frozen=True)
class EnteredView(Fragment):
    """A page that leads on to `next`.

    The browser came from elsewhere, so that a redirect would not bring the session's cookie, which
    is for requests from pages of this server only. `place` is `next` below the root path.
    """

    template = "oidc/entered.html"

    name: str
    next: str
    place: str


@dataclass(frozen=True)
class FailedView(Fragment):
    """Why a login came to nothing; `who` is whom the provider has named, if that is known."""

    template = "oidc/failed.html"

    title: str
    text: str
    who: str | None
    groups: tuple[str, ...]
    claim: str


@router.get(_BEGIN)
async def begin(request: Request, server: ServerDep, next: str = HOME) -> Response:  # noqa: A002
    """Send the browser to the provider."""
    logins = _logins(server)
    try:
        leading = await logins.begin(own_path(next), _callback(request, logins))
    except LoginFailed as failed:
        return _failed(request, logins, failed)
    response = Response(status_code=303, headers={"location": leading.address})
    waiting = names_of_cookies(request.scope, "pooldeck-login-")
    for name in waiting[: max(0, len(waiting) - _MOST_TABS + 1)]:
        _drop(request, response, name)
    response.set_cookie(
        leading.cookie,
        leading.kept,
        max_age=ATTEMPT_SECONDS,
        path=_path(request),
        httponly=True,
        samesite="lax",  # the browser brings it when it comes back from the provider's pages
        secure=_is_secure(request),
    )
    return response


@router.get(_CALLBACK)
async def come_back(request: Request, server: ServerDep) -> Response:
    """Let in the browser that the provider has sent back, if all of it holds."""
    logins = _logins(server)
    said, name = _said(request), logins.cookie_of(request.query_params.get("state", ""))
    try:
        kept = cookie(request.scope, name)
        entered = await logins.finish(said, kept, _callback(request, logins))
    except LoginFailed as failed:
        request.app.state.wrong_tokens.note(request.scope)
        response = _failed(request, logins, failed)
        _drop(request, response, name)
        return response
    for before in cookies(request.scope, COOKIE):
        await server.sessions.end(before)
    put_principal(request.scope, entered.principal)  # whose page it is from here on
    place = root_path_of(request.scope) + entered.next
    response = render(request, EnteredView(entered.principal.name, entered.next, place))
    _drop(request, response, name)
    response.set_cookie(
        COOKIE,
        entered.secret,
        max_age=round(logins.settings.session_hours * 3600),
        httponly=True,
        samesite="strict",
        secure=_is_secure(request),
    )
    return response


def _logins(server: Server) -> "OidcLogins":
    if server.logins is None:
        raise NotFound("this server has no logins by OpenID Connect: [oidc] is not set")
    return server.logins


def _callback(request: Request, logins: "OidcLogins") -> str:
    """Return the address by which the provider sends the browser back.

    The Host was checked: it is a name that this server answers to.
    """
    given = logins.settings.address
    here = f"{request.scope['scheme']}://{request.headers['host']}{root_path_of(request.scope)}"
    return (given or here) + _CALLBACK


def _said(request: Request) -> Mapping[str, str]:
    """Return the parameters of a callback; one that stands twice makes it no callback of ours."""
    pairs = request.query_params.multi_items()
    said = dict(pairs)
    return said if len(said) == len(pairs) else {}


def _failed(request: Request, logins: "OidcLogins", failed: LoginFailed) -> Response:
    title, text = failed_login(failed.why)
    known = failed.identity
    groups = () if known is None else known.groups[:_MOST_GROUPS]
    view = FailedView(
        title=title,
        text=text,
        who=None if known is None else known.label,
        groups=tuple(each[:_LONGEST_GROUP] for each in groups),
        claim=logins.settings.groups_claim,
    )
    return render(request, view, _STATUS[failed.why])


def _path(request: Request) -> str:
    return root_path_of(request.scope) + _BEGIN


def _drop(request: Request, response: Response, name: str) -> None:
    response.delete_cookie(name, path=_path(request), httponly=True, samesite="lax")


def _is_secure(request: Request) -> bool:
    return bool(request.scope["scheme"] == "https")
