"""The companion process of an engine: `python -m pooldeck.engines DESCRIPTOR`, by the server alone.

It reads what it is for, says that it is ready, and passes words on between server and engine until
the server's end of the socket pair closes. Then it withdraws what has no place yet, and ends.
"""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from pooldeck.end_signals import END_SIGNALS, admit
from pooldeck.engines import frames
from pooldeck.engines.port import HostEngine, HostOffer
from pooldeck.marks import READY
from pooldeck.protocol import FrameBuffer

_CHUNK: Final = 65536


class _Relay:
    """Tells the server what the engine says: `EngineListener`."""

    def __init__(self, pipe: asyncio.StreamWriter) -> None:
        self._pipe = pipe
        self._sentence: str | None = ""  # nothing has been said yet, not even that all is well

    def placing(self, numbers: tuple[int, ...], following: int) -> None:
        self.tell(frames.PlacingAgents(numbers, following))

    def offered(self, offer: HostOffer) -> None:
        self.tell(frames.HostOffered(offer))

    def left(self, host: str) -> None:
        self.tell(frames.AgentLeft(host))

    def ended(self, number: int, host: str | None, why: str) -> None:
        self.tell(frames.AgentEnded(number, host, why))

    def said(self, sentence: str | None) -> None:
        if sentence != self._sentence:
            self._sentence = sentence
            self.tell(frames.EngineSaid(sentence))

    def tell(self, message: frames.FromCompanion) -> None:
        self._pipe.write(frames.frame(message))


class _Words:
    """What the server says, one after the other."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._buffer = FrameBuffer()
        self._waiting: Iterator[bytes] = iter(())

    async def next(self) -> frames.ToCompanion | None:
        """Return the next word; None when the server is gone."""
        while (body := next(self._waiting, None)) is None:
            data = await self._reader.read(_CHUNK)
            if not data:
                return None
            self._waiting = iter(list(self._buffer.feed(data)))
        return frames.to_companion(body)


async def _run(descriptor: int) -> None:
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=descriptor))
    words, relay = _Words(reader), _Relay(writer)
    begin = await words.next()
    if not isinstance(begin, frames.Commission):
        return
    writer.write(READY)
    engine = _engine(begin, relay)
    if engine is not None:
        await engine.start()
    with suppress(OSError):  # the server died
        while (said := await words.next()) is not None:
            if isinstance(said, frames.WantHosts):
                relay.tell(frames.StillHere())
                if engine is not None:
                    engine.want(said.hosts)
    if engine is not None:
        await engine.stop()


def _engine(begin: frames.Commission, relay: _Relay) -> HostEngine | None:
    """Return the engine that the pool has; without one there are no hosts, and that is said."""
    try:
        from pooldeck.engines.dask import DaskEngine  # noqa: PLC0415 - only here, and if it is there
    except ImportError as error:
        relay.said(f"the server's machine has no Dask ({error}): pip install 'pooldeck[dask]'")
        return None
    for name in ("distributed", "distributed.client"):  # what they say is told in sentences
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return DaskEngine(begin.spec, relay, begin.wanted, begin.numbers, begin.following)


def main() -> None:
    """Run until the server is gone; signals to end are for the server, which closes the line."""
    for number in END_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    admit()
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(_run(int(sys.argv[1])))


if __name__ == "__main__":
    main()
