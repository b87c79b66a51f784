"""A web site of this machine that waits and throttles, in a process of its own.

`python -m bench.choosing.site` prints its address and serves until its standard input is closed.
"""

import asyncio
import contextlib
import json
import math
import subprocess
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator
from typing import Final

_LATENCY: Final = 0.05  # seconds that a page takes
PACE: Final = 0.02  # seconds between two pages of the part that throttles
_PAGE: Final = b"<title>A page</title>" * 500
_NUMBERS: Final = json.dumps([{"number": n, "name": f"row {n}"} for n in range(2000)]).encode()


@contextlib.contextmanager
def site() -> Iterator[str]:
    """Serve for as long as the block runs; yield the address as `host:port`."""
    command = [sys.executable, "-m", "bench.choosing.site"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None  # a pipe was asked for
        yield process.stdout.readline().decode().strip()


class _Site:
    def __init__(self) -> None:
        self._free_at = 0.0  # when the part that throttles takes the next request

    async def answer(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Answer one request and close."""
        with contextlib.suppress(ConnectionError):
            request = await reader.readuntil(b"\r\n\r\n")
            writer.write(await self._page(request.split(b" ", 2)[1]))
            await writer.drain()
        writer.close()

    async def _page(self, path: bytes) -> bytes:
        if path == b"/throttled":
            return self._throttled()
        await asyncio.sleep(_LATENCY)
        return _response("200 OK", _NUMBERS if path == b"/numbers" else _PAGE)

    def _throttled(self) -> bytes:
        now = asyncio.get_running_loop().time()
        if now < self._free_at:
            milliseconds = math.ceil(1000 * (self._free_at - now))
            return _response("429 Too Many Requests", b"", f"Retry-After-Ms: {milliseconds}\r\n")
        self._free_at = now + PACE
        return _response("200 OK", _PAGE)


def _response(status: str, body: bytes, header: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{header}Connection: close\r\n\r\n"
    return head.encode() + body


async def _serve() -> None:
    server = await asyncio.start_server(_Site().answer, "127.0.0.1", 0, backlog=128)
    host, port = server.sockets[0].getsockname()
    print(f"{host}:{port}", flush=True)
    await asyncio.to_thread(sys.stdin.buffer.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve())
