"""The door for hosts: they dial in, say who they are, and become part of a pool or hear why not.

    host ── TLS ── Hello: token, pool, versions ──▶ this ──▶ RemotePool.attach
                                                     └─ NotTaken ─▶ host, log, the pool's page

Nothing is believed of who has no token for it. A host that belongs to an earlier run is told that
it is over; what earlier boots have left goes to whom it concerns.
"""

import asyncio
import logging
import re
import socket
import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from pooldeck.functions import POOL_NAME
from pooldeck.hosts.machine import versions
from pooldeck.hosts.model import HostRefused, HostTerms
from pooldeck.hosts.program import NAME
from pooldeck.hosts.remote_pool import RemotePool
from pooldeck.hosts.stream import FrameStream
from pooldeck.hosts.wire import Hello, NotTaken, Over, encode, from_host, unframed
from pooldeck.protocol import HEADER_BYTES, ProtocolError
from pooldeck_server.domain.access import Principal, may_run_hosts
from pooldeck_server.domain.addresses import authority
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import PooldeckError, StartupError
from pooldeck_server.domain.log_subjects import about
from pooldeck_server.domain.pools.attachments import Attachment
from pooldeck_server.runtime.access.tokens import Tokens
from pooldeck_server.runtime.background import Background, BackgroundTasks
from pooldeck_server.runtime.hosts.earlier_term import EarlierTerm
from pooldeck_server.runtime.hosts.refusals import Refusals
from pooldeck_server.runtime.hosts.tls import server_context, why_no_tls
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.settings import HostsSettings
from pooldeck_server.store import records

_log = logging.getLogger(__name__)
_HELLO_SECONDS: Final = 10.0  # for a host to begin TLS and to say who it is
_LARGEST_HELLO: Final = 16 * 1024 * 1024  # bytes: it has what earlier boots left
_STRANGERS: Final = 32  # connections at a time that nobody has shown a token on
_BOOT: Final = re.compile(r"[0-9a-f]{8,64}")
_MOST_TEXTS: Final = 64
_LONGEST_TEXT: Final = 300  # characters
_NO_WORD: Final = "what it says is no word of a host of this version of Pooldeck"
_OVER: Final = "the server was started anew"


class _Unknown(Exception):  # noqa: N818 - it is what the peer is
    """What dialled did not say who it is; the text says in a sentence why."""


@dataclass(kw_only=True, eq=False)
class HostListener:
    """Listens for hosts from its start to its stop."""

    settings: HostsSettings
    terms: HostTerms
    pools: Mapping[str, RemotePool]  # those on hosts, by name
    tokens: Tokens
    recorder: Recorder
    clock: Clock
    earlier: EarlierTerm
    refusals: Refusals
    address: tuple[str, int] = field(init=False, default=("", 0))  # where it listens
    _strangers: int = field(init=False, default=0)
    _boots: set[str] = field(init=False, default_factory=set)  # on record, and not known to be gone
    _works: BackgroundTasks = field(init=False, default_factory=BackgroundTasks)

    async def start(self) -> None:
        """Listen.

        Raises:
            StartupError: If that is not possible: the port is taken, a certificate is none.
        """
        self._context = await asyncio.to_thread(server_context, self.settings)
        try:
            self._socket = await asyncio.to_thread(_listen, *self.settings.bound)
        except OSError as error:
            raise StartupError(
                f"the server cannot listen for hosts on {self.settings.listen}: "
                f"{error.strerror or error}"
            ) from error
        self.address = self._socket.getsockname()[:2]
        self._accepting = Background("taking the connections of hosts", self._accept)
        self._accepting.start()
        how = "TLS" if self._context else "no TLS"
        pools, place = ", ".join(self.pools) or "none yet", self.place
        _log.info("listening for hosts on %s, with %s; their pools: %s", place, how, pools)

    @property
    def place(self) -> str:
        """Return where it listens, as an address."""
        return authority(*self.address)

    async def stop(self) -> None:
        """Take no more hosts."""
        await self._accepting.stop()
        self._socket.close()
        await self._works.stop()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, peer = await loop.sock_accept(self._socket)
            if self._strangers >= _STRANGERS:
                connection.close()
                continue
            self._strangers += 1
            self._works.start(self._receive(connection, authority(*peer[:2])))

    async def _receive(self, connection: socket.socket, address: str) -> None:
        """Take a host, or turn it away."""
        try:
            hello, stream = await self._hello(connection)
        except _Unknown as error:
            self._note(str(error), address, None)
        except (OSError, EOFError):  # it only looked whether somebody is there
            _log.debug("%s dialled, and closed the connection", address)
        else:
            await self._answer(hello, stream, address)
        finally:
            self._strangers -= 1

    async def _answer(self, hello: Hello, stream: FrameStream, address: str) -> None:
        """Take a host that has said who it is, or tell it why not."""
        try:
            if not self._is_over(hello, stream):
                await self._take(hello, stream)
        except (HostRefused, ProtocolError) as error:
            self._note(str(error), address, hello)
            is_final = isinstance(error, HostRefused) and error.is_final
            answer = Over if hello.rejoin else NotTaken  # one with a lease gives it up
            stream.send(0, encode(answer(str(error), is_final)))
            stream.close()

    async def _hello(self, connection: socket.socket) -> tuple[Hello, FrameStream]:
        """Return how what has dialled introduces itself, and the connection to it.

        Raises:
            _Unknown: If it does not.
            OSError: If it closes the connection.
            EOFError: The same.
        """
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(_HELLO_SECONDS):
                reader, writer = await _open(connection, self._context)
                hello = await _read_hello(reader)
        except BaseException as error:
            (writer or connection).close()
            if isinstance(error, TimeoutError):
                raise _Unknown("it does not say who it is") from None
            raise
        return hello, FrameStream(reader, writer)

    def _is_over(self, hello: Hello, stream: FrameStream) -> bool:
        """Take what a host says of earlier boots; tell one of an earlier run that it is over.

        Raises:
            HostRefused: If it may not be here.
        """
        self._check_token(hello)
        for gone in hello.gone:
            if (gone.deck, gone.term) != (self.terms.deck, self.terms.term):
                self.earlier.hear(gone)
        is_ours = (hello.deck, hello.term) == (self.terms.deck, self.terms.term)
        if not hello.rejoin or is_ours:
            return False
        stream.send(0, encode(Over(_OVER)))
        stream.close()
        return True

    def _check_token(self, hello: Hello) -> Principal:
        found = self.tokens.find(hello.token.encode())
        if found is None:
            raise HostRefused("its token is none of this server's, or is over or revoked")
        principal = found[0]
        if not may_run_hosts(principal, hello.pool):
            raise HostRefused(
                f"its token ({principal.name}, {principal.role}) may not run hosts of pool "
                f"{hello.pool}: make one by `pooldeck token create --role host`",
            )
        return principal

    async def _take(self, hello: Hello, stream: FrameStream) -> None:
        """Make a host part of its pool.

        Raises:
            HostRefused: If it is not taken.
            ProtocolError: If it comes back with what cannot be.
        """
        pool = self.pools.get(hello.pool)
        if pool is None:
            known = ", ".join(self.pools) or "none"
            raise HostRefused(f"there is no pool {hello.pool} on hosts; those on hosts: {known}")
        _check_versions(hello)
        is_new = hello.boot not in self._boots
        if is_new:
            await self._keep(hello)
        try:
            pool.attach(hello, stream)
        except HostRefused:
            if is_new:
                self._forget([hello.boot])
            raise
        self.refusals.admitted(hello.pool, hello.name)
        if is_new:
            self._boots.add(hello.boot)
            _log.info(
                "host %s is part of pool %s",
                *(hello.name, hello.pool),
                extra=about(pool=hello.pool),
            )
            self._forget_gone()

    async def _keep(self, hello: Hello) -> None:
        """Put on record that a boot may be handed calls from now on."""
        attachment = Attachment(
            boot=hello.boot,
            pool=hello.pool,
            name=hello.name,
            term=self.terms.term,
            lease_seconds=self.terms.lease,
            margin_seconds=self.terms.margin,
            attached_at=self.clock.now(),
        )
        try:
            await self.recorder.perform(lambda tx: records.attach_host(tx, attachment))
        except PooldeckError as error:
            raise HostRefused(f"it cannot be put on record at the moment: {error}") from None

    def _forget_gone(self) -> None:
        """Take off the record what is certainly gone, so that the record does not grow."""
        here = {
            host.boot for pool in self.pools.values() for host in pool.hosts if host.gone_at is None
        }
        gone = self._boots - here
        self._boots -= gone
        self._forget(gone)

    def _forget(self, boots: Collection[str]) -> None:
        if not boots:
            return
        self._works.start(
            self.recorder.try_perform(
                lambda tx: records.forget_hosts(tx, boots), "that hosts are gone"
            )
        )

    def _note(self, why: str, address: str, hello: Hello | None) -> None:
        """Keep for the pages that a host was turned away; the log has it once."""
        if self.refusals.add(why, address, hello):
            which = f"host {hello.name} of pool {hello.pool}" if hello else "a host"
            _log.warning("%s at %s was turned away: %s", which, address, why)


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


def _check_versions(hello: Hello) -> None:
    """Refuse a host that would not understand this server, or whose code would run otherwise.

    Raises:
        HostRefused: If it is one.
    """
    mine, its = versions(), hello.versions
    if (its_pooldeck := its.get("pooldeck", "?")) != mine["pooldeck"]:
        raise HostRefused(
            f"it has Pooldeck {its_pooldeck}, and the server has {mine['pooldeck']}: install the "
            "same on both"
        )
    if _minor(its) != _minor(mine):
        raise HostRefused(
            f"it runs {_minor(its)}, and the server {_minor(mine)}: functions may do otherwise "
            "there; take the same on both"
        )


def _minor(known: Mapping[str, str]) -> str:
    """Return which Python it is, as far as that counts: "CPython 3.11"."""
    name = known.get("implementation", "?").replace("cpython", "CPython")
    return f"{name} {'.'.join(known.get('python', '?').split('.')[:2])}"


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; it looks a name up, so it does not belong on a loop."""
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listening = socket.create_server(address[:2], family=family, backlog=_STRANGERS)
    listening.setblocking(False)
    return listening


async def _open(
    connection: socket.socket, context: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return the ends of a connection that was accepted, when its TLS is begun.

    Raises:
        _Unknown: If that was not possible.
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
        raise _Unknown(why_no_tls(error)) from None
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


async def _read_hello(reader: asyncio.StreamReader) -> Hello:
    """Return the first frame of a host.

    Raises:
        _Unknown: If it is none.
        OSError: If the other side is gone.
        EOFError: The same.
    """
    try:
        size = int.from_bytes(await reader.readexactly(HEADER_BYTES), "big")
        if size > _LARGEST_HELLO:
            raise _Unknown(_NO_WORD)
        _, message = unframed(await reader.readexactly(size))
        hello = from_host(message)
    except ssl.SSLError as error:
        raise _Unknown(why_no_tls(error)) from None
    except ProtocolError:
        raise _Unknown(_NO_WORD) from None
    if not isinstance(hello, Hello) or not _is_short(hello):
        raise _Unknown(_NO_WORD)
    return hello
