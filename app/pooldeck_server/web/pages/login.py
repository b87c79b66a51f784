"""The login page: a person shows the token once, and the browser has a session from then on."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Form, Request
from starlette.responses import RedirectResponse, Response

from pooldeck_server.domain.access import OWNER, Principal
from pooldeck_server.domain.errors import Forbidden, TooManyWrongTokens
from pooldeck_server.domain.logins import LINK, OF_RUN
from pooldeck_server.domain.tokens import Token
from pooldeck_server.runtime.access.sessions import SESSION_SECONDS
from pooldeck_server.runtime.server import Server
from pooldeck_server.web.http.application import server_of
from pooldeck_server.web.http.cookies import cookies
from pooldeck_server.web.http.credentials import COOKIE
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.http.redirects import HOME, own_path
from pooldeck_server.web.http.wrong_tokens import WrongTokens
from pooldeck_server.web.pages.shared.rendering import Fragment, page_router, render
from pooldeck_server.web.text.i18n import _

router = page_router()


@dataclass(frozen=True)
class LoginForm(Fragment):
    """The form: `next` is where the browser goes afterwards, `error` what was wrong with a try.

    `has_oidc` is whether a provider lets in people too, by a `button` with words of its own,
    `has_form` whether tokens do, and `has_links` whether links that count once do.
    """

    template = "login.html"

    next: str
    error: str | None
    has_oidc: bool
    button: str | None
    has_form: bool
    has_links: bool


@router.get("/login")
async def show_login(
    request: Request,
    server: ServerDep,
    next: str = HOME,  # noqa: A002
    once: str | None = None,
) -> Response:
    """Show the form; where no token is asked for there is nothing to log in to.

    Whoever comes by a link that counts `once` is let in at once, as by notebook servers.
    """
    if not server.tokens.is_asked_for:
        return RedirectResponse(HOME, 303)
    if once is None or server.links is None:
        return _form(request, next)
    if not server.links.use(once):
        if _is_logged_in(request, server):  # the link is opened again, or was kept
            return RedirectResponse(own_path(next), 303)
        return _refused(request, next, _("This link was used, or is too old."))
    secret = await server.sessions.begin(OWNER, LINK)
    return await _entered(request, server, secret, own_path(next))


@router.post("/login")
async def log_in(
    request: Request,
    server: ServerDep,
    token: Annotated[str, Form()],
    next: Annotated[str, Form()] = HOME,  # noqa: A002
) -> Response:
    if not server.tokens.is_asked_for:
        return RedirectResponse(HOME, 303)
    if not _has_form(server):
        raise Forbidden("this server's login page takes no tokens: [oidc] only is set")
    found = server.tokens.find(token.strip().encode())
    if found is None:
        return _refused(request, next, _("That is not the token of this server."))
    principal, named = found
    is_of_run = server.tokens.find_of_run(token.strip().encode()) is not None
    # First of all: the token counts at this moment.
    secret = await _begun(server, principal, named, is_of_run=is_of_run)
    return await _entered(request, server, secret, own_path(next))


@router.post("/logout")
async def log_out(request: Request, server: ServerDep) -> Response:
    for secret in cookies(request.scope, COOKIE):
        await server.sessions.end(secret)
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response


def _is_logged_in(request: Request, server: Server) -> bool:
    secrets = cookies(request.scope, COOKIE)
    return any(server.sessions.principal_of(secret) is not None for secret in secrets)


async def _begun(
    server: Server, principal: Principal, named: Token | None, *, is_of_run: bool
) -> str:
    """Begin a session that ends with its token, and return its secret."""
    if named is None:
        return await server.sessions.begin(principal, OF_RUN if is_of_run else None)
    return await server.sessions.begin(principal, named.name, named.expires_at)


async def _entered(request: Request, server: Server, secret: str, wanted: str) -> Response:
    """Lead on to a path, with the session that was begun, and end those of before."""
    for before in cookies(request.scope, COOKIE):
        await server.sessions.end(before)
    response = RedirectResponse(wanted, 303)
    response.set_cookie(
        COOKIE,
        secret,
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        secure=request.scope["scheme"] == "https",
    )
    return response


def _refused(request: Request, wanted: str, why: str) -> Response:
    """Show the form again, and count what was wrong."""
    wrong_tokens: WrongTokens = request.app.state.wrong_tokens
    try:
        wrong_tokens.note(request.scope)
    except TooManyWrongTokens:
        words = _("Too many wrong tokens. Wait a minute, then try again.")
        return _form(request, wanted, words, 429)
    return _form(request, wanted, why, 401)


def _form(request: Request, wanted: str, error: str | None = None, status: int = 200) -> Response:
    server = server_of(request)
    oidc = server.settings.oidc
    form = LoginForm(
        next=own_path(wanted),
        error=error,
        has_oidc=oidc is not None,
        button=None if oidc is None else oidc.button,
        has_form=_has_form(server),
        has_links=server.links is not None,
    )
    return render(request, form, status)


def _has_form(server: Server) -> bool:
    oidc = server.settings.oidc
    return oidc is None or not oidc.only
