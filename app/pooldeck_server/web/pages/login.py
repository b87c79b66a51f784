"""The login page: a person shows the token once, and the browser keeps a signed cookie."""

import time
from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Form, Request
from starlette.responses import RedirectResponse, Response

from pooldeck_server.web.http.credentials import COOKIE, COOKIE_SECONDS, Credentials
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.http.redirects import HOME, own_path
from pooldeck_server.web.pages.shared.rendering import Fragment, page_router, render
from pooldeck_server.web.text.i18n import _

router = page_router()

_TRIES: Final = 10  # wrong tokens from one address within a minute
_MINUTE: Final = 60


@dataclass(frozen=True)
class LoginForm(Fragment):
    """The form: `next` is where the browser goes afterwards, `error` what was wrong with a try."""

    template = "login.html"

    next: str
    error: str | None


class Tries:
    """Counts wrong tokens by address, so that nobody can try many through the form.

    A program can try them at the API, where only the length of the token protects it; the form
    is for tokens that people type.
    """

    def __init__(self) -> None:
        self._minute = 0
        self._wrong: Counter[str] = Counter()

    def are_spent(self, address: str) -> bool:
        minute = int(time.monotonic()) // _MINUTE
        if minute != self._minute:
            self._minute = minute
            self._wrong.clear()
        return self._wrong[address] >= _TRIES

    def note_wrong(self, address: str) -> None:
        self._wrong[address] += 1


@router.get("/login")
async def show_login(request: Request, server: ServerDep, next: str = HOME) -> Response:  # noqa: A002
    """Show the form; without a token there is nothing to log in to."""
    if server.settings.token is None:
        return RedirectResponse(HOME, 303)
    return _form(request, next)


@router.post("/login")
async def log_in(
    request: Request,
    server: ServerDep,
    token: Annotated[str, Form()],
    next: Annotated[str, Form()] = HOME,  # noqa: A002
) -> Response:
    secret = server.settings.token
    if secret is None:
        return RedirectResponse(HOME, 303)
    tries: Tries = request.app.state.tries
    address = request.client.host if request.client else ""
    if tries.are_spent(address):
        return _form(request, next, _("Too many wrong tokens. Wait a minute, then try again."), 429)
    credentials = Credentials(secret.get_secret_value())
    if not credentials.is_token(token.strip().encode()):
        tries.note_wrong(address)
        return _form(request, next, _("That is not the token of this server."), 401)
    response = RedirectResponse(own_path(next), 303)
    response.set_cookie(
        COOKIE,
        credentials.new_cookie(),
        max_age=COOKIE_SECONDS,
        httponly=True,
        samesite="strict",
        secure=request.scope["scheme"] == "https",
    )
    return response


@router.post("/logout")
async def log_out() -> Response:
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response


def _form(request: Request, wanted: str, error: str | None = None, status: int = 200) -> Response:
    return render(request, LoginForm(own_path(wanted), error), status)
