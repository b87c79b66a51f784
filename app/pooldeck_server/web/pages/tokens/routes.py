"""The page of the named tokens: a list, a form for another, and the way to revoke one."""

import msgspec
from fastapi import Request, Response
from starlette.datastructures import QueryParams

from pooldeck_server.domain.errors import Conflict, InvalidRequest, NotFound
from pooldeck_server.domain.tokens import TokenRequest, read_life
from pooldeck_server.web.http.dependencies import ServerDep, SightDep
from pooldeck_server.web.http.errors import STATUS
from pooldeck_server.web.http.strict_json import complaint
from pooldeck_server.web.pages.shared.posting import done, posted
from pooldeck_server.web.pages.shared.refusal import FormField, refusal
from pooldeck_server.web.pages.shared.rendering import page_router, render
from pooldeck_server.web.pages.tokens.view import ask_to_revoke, tokens_view
from pooldeck_server.web.text.i18n import _

router = page_router()


@router.get("/tokens")
async def tokens(request: Request, server: ServerDep) -> Response:
    found = server.tokens
    return render(request, tokens_view(found.all(), is_asked_for=found.is_asked_for))


@router.post("/tokens")
async def create(request: Request, server: ServerDep, sight: SightDep) -> Response:
    """Make a token, and show its secret: the only page that ever does."""
    form, found = await posted(request), server.tokens
    try:
        token, secret = await found.create(_wanted(form), sight.principal.name)
    except (InvalidRequest, Conflict) as error:
        shown = tokens_view(
            found.all(),
            is_asked_for=found.is_asked_for,
            filled=dict(form),
            refusal=refusal(error, _controls(), "name"),
        )
        return render(request, shown, STATUS[type(error)])
    shown = tokens_view(
        found.all(), is_asked_for=found.is_asked_for, made=token.name, secret=secret
    )
    return render(request, shown)


@router.get("/tokens/{name}/revoke")
async def ask(request: Request, server: ServerDep, name: str) -> Response:
    if not any(each.name == name for each in server.tokens.all()):
        raise NotFound(f"there is no token {name}")
    return render(request, ask_to_revoke(name))


@router.post("/tokens/{name}/revoke")
async def revoke(server: ServerDep, name: str) -> Response:
    await server.tokens.revoke(name)
    return done("/tokens", "revoked")


def _controls() -> dict[str, FormField]:
    """Return the fields of the form by the names that complaints begin with."""
    return {
        "name": FormField("name", _("Name")),
        "role": FormField("role", _("Role")),
        "expires": FormField("expires", _("Expires")),
        "functions": FormField("functions", _("Only these functions")),
        "pools": FormField("pools", _("Only these pools")),
    }


def _wanted(form: QueryParams) -> TokenRequest:
    """Return what a form asks for.

    Raises:
        InvalidRequest: If there can be no such token.
    """
    given = {
        "name": form.get("name", "").strip(),
        "role": form.get("role", ""),
        "expires_in": read_life(form.get("expires", "")),
        "values": "values" in form,
        "functions": form.get("functions", "").replace(",", " ").split(),
        "pools": form.get("pools", "").replace(",", " ").split(),
    }
    try:
        return msgspec.convert(given, TokenRequest)
    except msgspec.ValidationError as error:
        raise complaint(error, TokenRequest) from None
