"""What dials the door for hosts, until it has said who it is: nothing of it is believed."""

import asyncio
import re
import socket
import ssl
from typing import Final

from pooldeck.functions import POOL_NAME
from pooldeck.hosts.program import NAME
from pooldeck.hosts.stream import FrameStream
from pooldeck.hosts.wire import Hello, from_host, unframed
from pooldeck.protocol import HEADER_BYTES, ProtocolError
from pooldeck_server.runtime.hosts.tls import why_no_tls

STRANGERS: Final = 32
"""Connections at a time on which nobody has said yet who it is."""

_HELLO_SECONDS: Final = 10.0  # for a host to begin TLS and to say who it is
_LARGEST_HELLO: Final = 16 * 1024 * 1024  # bytes: it has what earlier boots left
_BOOT: Final = re.compile(r"[0-9a-f]{8,64}")
_MOST_TEXTS: Final = 64
_LONGEST_TEXT: Final = 300  # characters
_NO_WORD: Final = "what it says is no word of a host of this version of Pooldeck"


class UnknownPeer(Exception):  # noqa: N818 - it is what the peer is
    """What dialled did not say who it is; the text says in a sentence why."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; it looks a name up, so it does not belong on a loop."""
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listening = socket.create_server(address[:2], family=family, backlog=STRANGERS)
    listening.setblocking(False)
    return listening


async def greet(
    connection: socket.socket, context: ssl.SSLContext | None
) -> tuple[Hello, FrameStream]:
    """Return how what has dialled introduces itself, and the connection to it.

    Raises:
        UnknownPeer: If it does not.
        OSError: If it closes the connection.
        EOFError: The same.
    """
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(_HELLO_SECONDS):
            reader, writer = await _open(connection, context)
            hello = await _read_hello(reader)
    except BaseException as error:
        (writer or connection).close()
        if isinstance(error, TimeoutError):
            raise UnknownPeer("it does not say who it is") from None
        raise
    return hello, FrameStream(reader, writer)


async def _open(
    connection: socket.socket, context: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return the ends of a connection that was accepted, when its TLS is begun.

    Raises:
        UnknownPeer: If that was not possible.
        OSError: If the other side closed it.
    """
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    try:
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, connection, ssl=context)
    except (ssl.SSLError, ConnectionError) as error:
        if context is None:
            raise
        raise UnknownPeer(why_no_tls(error)) from None
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


async def _read_hello(reader: asyncio.StreamReader) -> Hello:
    """Return the first frame of a host.

    Raises:
        UnknownPeer: If it is none.
        OSError: If the other side is gone.
        EOFError: The same.
    """
    try:
        size = int.from_bytes(await reader.readexactly(HEADER_BYTES), "big")
        if size > _LARGEST_HELLO:
            raise UnknownPeer(_NO_WORD)
        _, message = unframed(await reader.readexactly(size))
        hello = from_host(message)
    except ssl.SSLError as error:
        raise UnknownPeer(why_no_tls(error)) from None
    except ProtocolError:
        raise UnknownPeer(_NO_WORD) from None
    if not isinstance(hello, Hello) or not _is_short(hello):
        raise UnknownPeer(_NO_WORD)
    return hello


def _is_short(hello: Hello) -> bool:
    """Tell whether what a stranger says of itself can be shown: its names are names."""
    machine, said = hello.machine, (*hello.versions, *hello.versions.values())
    texts = (machine.id, machine.boot_id, machine.pid_namespace, machine.hostname, *said)
    return bool(
        NAME.fullmatch(hello.name)
        and re.fullmatch(POOL_NAME, hello.pool)
        and _BOOT.fullmatch(hello.boot)
        and len(texts) <= _MOST_TEXTS
        and all(len(text) <= _LONGEST_TEXT for text in texts)
    )
