"""The head of an answer is the one that uvicorn writes, and frames the same body."""

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from pooldeck_server.web.http.protocol.cycle import Cycle

DEFAULT = [(b"date", b"Mon, 30 Nov 2026 06:00:00 GMT")]
ANSWERS: list[tuple[int, list[tuple[bytes, bytes]], bytes]] = [
    (200, [(b"content-length", b"2"), (b"content-type", b"text/plain")], b"ok"),
    (202, [(b"Content-Length", b"2"), (b"Location", b"/a")], b"ok"),
    (200, [(b"content-type", b"text/event-stream")], b"data"),
    (200, [(b"transfer-encoding", b"chunked")], b"data"),
    (503, [(b"content-length", b"0"), (b"connection", b"close")], b""),
    (200, [(b"content-length", b"0"), (b"Connection", b"keep-alive, Close")], b""),
    (204, [], b""),
    (304, [(b"etag", b"x")], b""),
    (599, [(b"content-length", b"0")], b""),
]


class Written(list[bytes]):
    """Stands for a transport: keeps what is written, and whether it was closed."""

    is_closed = False

    def write(self, data: bytes) -> None:
        self.append(data)

    def close(self) -> None:
        self.is_closed = True


async def _answer(
    kind: type[RequestResponseCycle], method: str, answer: Any, *, keep_alive: bool
) -> tuple[bytes, bool]:
    status, headers, body = answer
    written = Written()
    log = logging.getLogger(__name__)
    cycle = kind(
        scope={"type": "http", "method": method},  # type: ignore[typeddict-item]
        transport=written,  # type: ignore[arg-type]
        flow=SimpleNamespace(write_paused=False),  # type: ignore[arg-type]
        logger=log,
        access_logger=log,
        access_log=False,
        default_headers=DEFAULT,
        message_event=asyncio.Event(),
        expect_100_continue=False,
        keep_alive=keep_alive,
        on_response=lambda: None,
    )
    await cycle.send({"type": "http.response.start", "status": status, "headers": headers})
    if status in {204, 304}:
        cycle.expected_content_length = 0
    await cycle.send({"type": "http.response.body", "body": body})
    return b"".join(written), written.is_closed


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: f"{answer[0]}")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("keep_alive", [True, False])
async def test_an_answer_is_written_as_uvicorn_writes_it(
    method: str, answer: Any, keep_alive: bool
) -> None:
    ours = await _answer(Cycle, method, answer, keep_alive=keep_alive)
    assert ours == await _answer(RequestResponseCycle, method, answer, keep_alive=keep_alive)


@pytest.mark.parametrize("header", [(b"a b", b"c"), (b"a", b"b\r\nc: d"), (b"a:", b"b")])
async def test_what_would_end_a_line_is_no_header(header: tuple[bytes, bytes]) -> None:
    for _ in range(2):  # also where it was seen before
        with pytest.raises(RuntimeError, match="header"):
            await _answer(Cycle, "GET", (200, [header], b""), keep_alive=True)
