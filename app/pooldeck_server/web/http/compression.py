"""Compression of answers: from which size on, how hard, and where."""

from typing import Final

from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.types import ASGIApp

NDJSON: Final = "application/x-ndjson"
"""The type of watches: lines that are told as they come."""

_WORTH_IT: Final = 1024  # bytes from which an answer is compressed; what is live never is
_LARGE: Final = 128 * 1024  # bytes from which it is done in a thread: a second for 10 MB
_LEVEL: Final = 5  # half the time of the default, a few percent more bytes


class Compression(GZipMiddleware):
    """Compresses what is worth it for clients that take it."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            app,
            minimum_size=_WORTH_IT,
            compresslevel=_LEVEL,
            thread_minimum_size=_LARGE,
            exclude_content_types=(*DEFAULT_EXCLUDED_CONTENT_TYPES, NDJSON),
        )
