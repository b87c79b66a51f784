"""Answers are compressed for who takes it, and nobody waits while a large one is."""

import asyncio
from random import Random

from httpx import ASGITransport, AsyncClient
from starlette.responses import Response

from pooldeck_server.web.http.compression import Compression

SIZE = 6_000_000  # bytes that take a good part of a second
FEW = 5  # turns of a loop that has to wait for it: one before, one after, and some to spare
HARD = Random(1).randbytes(SIZE // 2).hex().encode()


def test_the_loop_goes_on_while_a_large_answer_is_compressed() -> None:
    async def turns_meanwhile() -> int:
        app = Compression(Response(HARD, media_type="application/json"))
        async with AsyncClient(transport=ASGITransport(app), base_url="http://x") as client:
            request = asyncio.create_task(client.head("/"))
            turns = 0
            while not request.done():
                await asyncio.sleep(0.001)
                turns += 1
            assert request.result().headers["content-encoding"] == "gzip"
            return turns

    assert asyncio.run(turns_meanwhile()) > FEW
