"""Alive, and ready: what machines ask that know neither name nor token; nothing loads FastAPI."""

from starlette.requests import Request
from starlette.responses import Response

from pooldeck_server.domain.readiness import Readiness
from pooldeck_server.web.http.application import server_of


async def is_alive(_: Request) -> Response:
    """Answer as long as the server does."""
    return Response(b'{"status":"ok"}', media_type="application/json")


async def is_ready(request: Request) -> Response:
    """Tell whether tasks are taken and some pool can run any, in one word: `ready` if so.

    The others are `starting`, `broken`, `storage_unavailable` and `draining`. `/api/v1/server` and
    `/api/v1/pools` say more.
    """
    word = server_of(request).readiness
    status = 200 if word is Readiness.READY else 503
    return Response(f'{{"status":"{word}"}}', status, media_type="application/json")
