"""Clients that cost a server what they can.

`python -m tests.support.crowding PORT KIND COUNT PATH` is COUNT of them. They come back whenever
they are cut off, until the program is killed. `silent` ones send nothing, `slow` ones a byte now
and then, `readers` ask for PATH and take nothing of the answer, and `tiny` ones send a body in
the smallest chunks for as long as they may.
"""

import asyncio
import random
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

BACK = 5.0  # seconds until one comes back; the first time, at most so many
PAUSE = 0.5  # seconds between the bytes of a slow one
LONG = 40.0  # seconds that one is patient who reads nothing

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def silent(streams: Streams, _path: str) -> None:
    await streams[0].read()


async def slow(streams: Streams, _path: str) -> None:
    _, writer = streams
    for byte in b"POST /login HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 10_000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(PAUSE)


async def readers(streams: Streams, path: str) -> None:
    _, writer = streams
    transport = writer.transport
    assert isinstance(transport, asyncio.Transport)
    transport.pause_reading()
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await asyncio.sleep(LONG)


async def tiny(streams: Streams, _path: str) -> None:
    _, writer = streams
    writer.write(b"POST /login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1\r\na\r\n" * 10_000)
        await writer.drain()


KINDS: dict[str, Callable[[Streams, str], Awaitable[None]]] = {
    "silent": silent,
    "slow": slow,
    "readers": readers,
    "tiny": tiny,
}


async def come_again_and_again(port: int, kind: str, path: str) -> None:
    await asyncio.sleep(random.random() * BACK)
    while True:
        with suppress(OSError):
            streams = await asyncio.open_connection("127.0.0.1", port)
            try:
                await KINDS[kind](streams, path)
            finally:
                streams[1].close()
        await asyncio.sleep(BACK)


async def crowd(port: int, kind: str, count: int, path: str) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(come_again_and_again(port, kind, path))


if __name__ == "__main__":
    asyncio.run(crowd(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]))
