"""Compression of answers: from which size on, and how hard."""

from typing import Final

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

_WORTH_IT: Final = 1024  # bytes from which an answer is compressed; an event stream never is
_LEVEL: Final = 5  # half the time of the default, a few percent more bytes


class Compression(GZipMiddleware):
    """Compresses what is worth it for clients that take it."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app, minimum_size=_WORTH_IT, compresslevel=_LEVEL)
