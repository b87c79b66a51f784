"""One request and its answer: uvicorn's cycle, which writes heads faster that are mostly the same.

uvicorn looks at each header of each answer, character by character; on the way of a submission that
cost as much as all that is checked of it. Most of the lines here are those of the answer before.
"""

from functools import lru_cache
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    RequestResponseCycle,
)

_START: Final = "http.response.start"
_LONGEST_KEPT: Final = 128  # bytes of a value; a redirect's may be as long as strangers like
_WITHOUT_BODY: Final = (204, 304)


class Cycle(RequestResponseCycle):
    """What uvicorn makes of a request, for the app and for the connection."""

    async def send(self, message: Any) -> None:
        """Write a part of the answer, when there is room for it."""
        if self.response_started or message["type"] != _START:
            await super().send(message)
            return
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if not self.disconnected:
            self.response_started = True
            self.waiting_for_100_continue = False
            self.transport.write(self._head(message["status"], message.get("headers", ())))

    def _head(self, status: int, headers: Any) -> bytes:
        """Return the head of the answer, having noted how its body will be framed."""
        lines, says_close = [STATUS_LINE[status]], False
        for name, value in (*self.default_headers, *headers):
            line, is_framing = (_kept_line if len(value) <= _LONGEST_KEPT else _line)(name, value)
            lines.append(line)
            if is_framing and self._frame(name.lower(), value):
                says_close = True
        if says_close:
            self.keep_alive = False
        elif not self.keep_alive:
            lines.append(b"connection: close\r\n")
        is_open = self.chunked_encoding is None and status not in _WITHOUT_BODY
        if is_open and self.scope["method"] != "HEAD":
            self.chunked_encoding = True
            lines.append(b"transfer-encoding: chunked\r\n")
        lines.append(b"\r\n")
        return b"".join(lines)

    def _frame(self, name: bytes, value: bytes) -> bool:
        """Note what a header says of the body; return whether the connection ends after it."""
        if name == b"content-length" and self.chunked_encoding is None:
            self.expected_content_length = int(value)
            self.chunked_encoding = False
        elif name == b"transfer-encoding" and value.lower() == b"chunked":
            self.expected_content_length = 0
            self.chunked_encoding = True
        return name == b"connection" and b"close" in _tokens(value)


_FRAMING: Final = {b"content-length", b"transfer-encoding", b"connection"}


def _line(name: bytes, value: bytes) -> tuple[bytes, bool]:
    """Return a header as a line, and whether it says where the answer or the connection ends.

    Raises:
        RuntimeError: If it would end the line, or is no header.
    """
    if HEADER_RE.search(name) or HEADER_VALUE_RE.search(value):
        raise RuntimeError(f"no header of HTTP: {name!r}: {value!r}")
    lower = name.lower()
    return b"%b: %b\r\n" % (lower, value), lower in _FRAMING


_kept_line = lru_cache(maxsize=512)(_line)


def _tokens(value: bytes) -> list[bytes]:
    return [token.lower().strip() for token in value.split(b",")]
