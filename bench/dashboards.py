"""What it costs the server that many people look at once, while some work goes through."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Final

from bench.batches import NOOP
from bench.figures import Figure
from bench.load import Plan, generate, post
from bench.processes import Pooldeck, pooldeck
from bench.scale import Scale

_ASKED: Final = (
    b"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n"
)
_LARGEST_EVENT: Final = 8 * 1024 * 1024  # bytes
_PAUSE: Final = 0.05  # seconds between two tasks: enough for the picture to change all the time


def measure(scale: Scale) -> list[Figure]:
    """Measure the CPU of the server with open streams, and that without, under the same load."""
    with pooldeck(scale.folder / "dashboards") as server:
        unseen = asyncio.run(_look(server, 0, scale.dashboard_seconds))
        seen = asyncio.run(_look(server, scale.dashboards, scale.dashboard_seconds))
    name = f"{scale.dashboards} open dashboards, 20 tasks a second"
    return [
        Figure(f"{name}: CPU of the server", seen.cpu_percent, "% a core", at_most=20),
        Figure("  nobody looks", unseen.cpu_percent, "% a core"),
        Figure(f"{name}: frames", seen.frames_per_second, "/s each", at_least=1),
    ]


class _Seen:
    """What was found while some looked."""

    def __init__(self, cpu_percent: float, frames_per_second: float) -> None:
        self.cpu_percent = cpu_percent
        self.frames_per_second = frames_per_second


async def _look(server: Pooldeck, number: int, seconds: float) -> _Seen:
    """Have `number` dashboards open for `seconds`, and tasks run."""
    async with contextlib.AsyncExitStack() as stack:
        dashboards = [await stack.enter_async_context(_dashboard(server)) for _ in range(number)]
        cpu, began = server.cpu_seconds(), time.monotonic()
        await asyncio.to_thread(_work, server, seconds)
        took = time.monotonic() - began
        frames = sum(dashboard.frames for dashboard in dashboards)
        return _Seen(
            100 * (server.cpu_seconds() - cpu) / took,
            frames / took / max(number, 1),
        )


class _Dashboard:
    """One that looks; `frames` counts what it was told since it began."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self.frames = 0
        self._reader = reader

    async def follow(self) -> None:
        while True:
            await self._reader.readuntil(b"event: deck\n")
            self.frames += 1


@contextlib.asynccontextmanager
async def _dashboard(server: Pooldeck) -> AsyncIterator[_Dashboard]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=_LARGEST_EVENT)
    writer.write(_ASKED)
    await reader.readuntil(b"event: deck\n")  # the picture that it begins with
    dashboard = _Dashboard(reader)
    following = asyncio.create_task(dashboard.follow())
    try:
        yield dashboard
    finally:
        following.cancel()
        writer.close()


def _work(server: Pooldeck, seconds: float) -> None:
    request = post("/api/v1/tasks", {"function": NOOP})
    plan = Plan(server.port, [request], int(seconds / _PAUSE), pause=_PAUSE, seconds=seconds)
    generate(plan, wanted=[202])
