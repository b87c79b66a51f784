"""What is answered to a request that never reaches the app, and what the log says of it."""

import logging
import time
from collections import Counter
from typing import Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.web.http.errors import problem

_PAUSE: Final = 60.0  # seconds between two lines of the log
_log = logging.getLogger(__name__)


def as_bytes(error: PooldeckError) -> bytes:
    """Return the answer to an error as HTTP/1.1 has it, after which the connection is closed."""
    response = problem(error)
    response.headers["connection"] = "close"
    head = b"".join(b"%s: %s\r\n" % header for header in response.raw_headers)
    return STATUS_LINE[response.status_code] + head + b"\r\n" + bytes(response.body)


class RefusalLog:
    """Says in the log what was refused: the first at once, those after it added up.

    Who can send nonsense can send a lot of it, so there is at most one line a minute.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()  # since the start, by code
        self._since_last = 0
        self._said_at = -_PAUSE

    def note(self, address: str, error: PooldeckError) -> None:
        """Count a refusal of `error` to the client at `address`."""
        self._since_last += 1
        self.counts[error.code] += 1
        now = time.monotonic()
        if now - self._said_at >= _PAUSE:
            _log.warning(
                "refused before it reached the app: %d since the last such line; from %s: %s (%s)",
                self._since_last,
                address,
                error.detail,
                error.code,
            )
            self._since_last, self._said_at = 0, now
