"""The switch of languages: a plain form, whose answer is remembered by the browser."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from pooldeck_server.web.http.language import COOKIE, COOKIE_SECONDS
from pooldeck_server.web.http.redirects import own_path
from pooldeck_server.web.text.i18n import ENGLISH, LANGUAGES

router = APIRouter(include_in_schema=False)


@router.post("/language")
async def choose(
    request: Request,
    language: Annotated[str, Form()] = ENGLISH,
    next: Annotated[str, Form()] = "/",  # noqa: A002 - the field's name
) -> Response:
    response = RedirectResponse(own_path(next), 303)
    response.set_cookie(
        COOKIE,
        language if language in LANGUAGES else ENGLISH,
        max_age=COOKIE_SECONDS,
        httponly=True,
        samesite="strict",
        secure=request.scope["scheme"] == "https",
    )
    return response
