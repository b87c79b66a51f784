"""Calls that take nothing but a reason, which may be left out."""

from typing import Final

from fastapi import Request

from pooldeck_server.runtime.server import Server
from pooldeck_server.web.api.bodies import Reasoned, read_reason
from pooldeck_server.web.api.reading import body_of
from pooldeck_server.web.http.responses import takes

MAY_SAY_WHY: Final = takes(Reasoned, {"reason": "new code"}, required=False)
"""What such a call takes, for its description."""


async def reason_of(request: Request, server: Server) -> str | None:
    """Return the reason that the body of a request gives; None where it has none."""
    said = await body_of(request, read_reason, server.settings.limits, is_optional=True)
    return said.reason
