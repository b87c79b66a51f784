"""What is between hosts and a server: it can drop, refuse, and hold up what one of them says."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

from msgspec import Struct

_WORD = 65536  # bytes; who dials says first who it is


class _Link(Struct, eq=False):
    host: str
    writers: tuple[asyncio.StreamWriter, ...]

    def cut(self) -> None:
        for writer in self.writers:
            writer.transport.abort()


class HostRelay:
    """Passes on connections of hosts that speak no TLS, in a thread of its own.

    Args:
        names: The names of the hosts; none may be part of another.
        port: Where the server listens for them.
    """

    def __init__(self, names: tuple[str, ...], port: int) -> None:
        self._names = names
        self._to = port
        self._links: set[_Link] = set()
        self._meetings: set[asyncio.Task[None]] = set()
        self._refused: set[str] = set()
        self._flows = {name: asyncio.Event() for name in names}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(30)

    async def _listen(self) -> int:
        for flow in self._flows.values():
            flow.set()
        self._server = await asyncio.start_server(self._meet, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        meeting = asyncio.current_task()
        assert meeting is not None
        self._meetings.add(meeting)
        meeting.add_done_callback(self._meetings.discard)
        with suppress(OSError):
            word = await reader.read(_WORD)
            host = next((name for name in self._names if name.encode() in word), "")
            if host and host not in self._refused:
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
                far_writer.write(word)
                link = _Link(host, (writer, far_writer))
                self._links.add(link)
                ways = ((reader, far_writer), (far_reader, writer))
                await asyncio.gather(*(self._pass_on(link.host, *way) for way in ways))
                self._links.discard(link)
        writer.close()

    async def _pass_on(
        self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(_WORD):
                await self._flows[host].wait()
                writer.write(data)
                await writer.drain()
        writer.close()

    # What is done to a host.

    def drop(self, host: str) -> None:
        """End the connections of a host, which may dial again."""
        self._do(lambda: self._cut(host))

    def refuse(self, host: str) -> None:
        """End the connections of a host, and let it have no others."""
        self._do(lambda: self._refused.add(host))
        self.drop(host)

    def hold(self, host: str) -> None:
        """Keep what a host says and hears from now on; nobody is told."""
        self._do(self._flows[host].clear)

    def let(self, host: str) -> None:
        """Take connections of a host again, and deliver what was kept."""
        self._do(lambda: self._refused.discard(host))
        self._do(self._flows[host].set)

    def _cut(self, host: str) -> None:
        for link in [link for link in self._links if link.host == host]:
            link.cut()

    def _do(self, what: Callable[[], object]) -> None:
        self._loop.call_soon_threadsafe(what)

    def close(self) -> None:
        """Pass on nothing more."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        for host, flow in self._flows.items():
            flow.set()
            self._cut(host)
        await asyncio.gather(*self._meetings, return_exceptions=True)
