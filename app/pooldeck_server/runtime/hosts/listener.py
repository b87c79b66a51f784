"""The door for hosts: they dial in, say who they are, and become part of a pool or hear why not.

    host ── TLS ── Hello: token, pool, versions ──▶ this ──▶ RemotePool.attach
                                                     └─ NotTaken ─▶ host, log, the pool's page

Nothing is believed of who has no token for it. A host that belongs to an earlier run is told that
it is over; what earlier boots have left goes to whom it concerns.
"""

import asyncio
import logging
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pooldeck.hosts.model import HostRefused, HostTerms
from pooldeck.hosts.remote_pool import RemotePool
from pooldeck.hosts.stream import FrameStream
from pooldeck.hosts.wire import Hello, NotTaken, Over, encode
from pooldeck.protocol import ProtocolError
from pooldeck_server.domain.access import Principal
from pooldeck_server.domain.addresses import authority
from pooldeck_server.domain.errors import StartupError
from pooldeck_server.domain.log_subjects import about
from pooldeck_server.runtime.access.tokens import Tokens
from pooldeck_server.runtime.background import Background, BackgroundTasks
from pooldeck_server.runtime.hosts.admission import check_token, check_versions
from pooldeck_server.runtime.hosts.earlier_term import EarlierTerm
from pooldeck_server.runtime.hosts.greeting import STRANGERS, UnknownPeer, greet, listen
from pooldeck_server.runtime.hosts.on_record import HostsOnRecord
from pooldeck_server.runtime.hosts.refusals import Refusals
from pooldeck_server.runtime.hosts.tls import server_context
from pooldeck_server.settings import HostsSettings

_log = logging.getLogger(__name__)
_OVER: Final = "the server was started anew"


@dataclass(kw_only=True, eq=False)
class HostListener:
    """Listens for hosts from its start to its stop."""

    settings: HostsSettings
    terms: HostTerms
    pools: Mapping[str, RemotePool]  # those on hosts, by name
    tokens: Tokens
    on_record: HostsOnRecord
    earlier: EarlierTerm
    refusals: Refusals
    address: tuple[str, int] = field(init=False, default=("", 0))  # where it listens
    _strangers: int = field(init=False, default=0)
    _of_token: dict[str, set[tuple[str, str]]] = field(init=False, default_factory=dict)
    _works: BackgroundTasks = field(init=False, default_factory=BackgroundTasks)

    async def start(self) -> None:
        """Listen.

        Raises:
            StartupError: If that is not possible: the port is taken, a certificate is none.
        """
        self._context = await asyncio.to_thread(server_context, self.settings)
        try:
            self._socket = await asyncio.to_thread(listen, *self.settings.bound)
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
        await self.on_record.stop()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, peer = await loop.sock_accept(self._socket)
            if self._strangers >= STRANGERS:
                connection.close()
                continue
            self._strangers += 1
            self._works.start(self._receive(connection, authority(*peer[:2])))

    async def _receive(self, connection: socket.socket, address: str) -> None:
        """Take a host, or turn it away."""
        try:
            hello, stream = await greet(connection, self._context)
        except UnknownPeer as error:
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
            principal = check_token(self.tokens, hello)
            if not self._is_over(hello, stream):
                await self._take(hello, stream)
                self._end_with_token(principal, hello)
        except (HostRefused, ProtocolError) as error:
            self._note(str(error), address, hello)
            is_final = isinstance(error, HostRefused) and error.is_final
            answer = Over if hello.rejoin else NotTaken  # one with a lease gives it up
            stream.send(0, encode(answer(str(error), is_final)))
            stream.close()

    def _is_over(self, hello: Hello, stream: FrameStream) -> bool:
        """Take what a host says of earlier boots; tell one of an earlier run that it is over."""
        for gone in hello.gone:
            if (gone.deck, gone.term) != (self.terms.deck, self.terms.term):
                self.earlier.hear(gone)
        is_ours = (hello.deck, hello.term) == (self.terms.deck, self.terms.term)
        if not hello.rejoin or is_ours:
            return False
        stream.send(0, encode(Over(_OVER)))
        stream.close()
        return True

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
        check_versions(hello)
        is_new = hello.boot not in self.on_record
        if is_new:
            await self.on_record.keep(hello)
        try:
            pool.attach(hello, stream)
        except HostRefused:
            if is_new:
                self.on_record.forget([hello.boot])
            raise
        self.refusals.admitted(hello.pool, hello.name)
        if is_new:
            self.on_record.attached(hello.boot)
            self.on_record.forget_others(self._here())
            _log.info(
                "host %s is part of pool %s",
                *(hello.name, hello.pool),
                extra=about(pool=hello.pool),
            )

    def _here(self) -> set[str]:
        """Return the boots that are not certainly gone."""
        hosts = (host for pool in self.pools.values() for host in pool.hosts)
        return {host.boot for host in hosts if host.gone_at is None}

    def _end_with_token(self, principal: Principal, hello: Hello) -> None:
        """Let a host go when its token counts no more."""
        hosts = self._of_token.get(principal.name)
        if hosts is None:
            hosts = self._of_token[principal.name] = set()
            self._works.start(self._wait_for_end(principal))
        hosts.add((hello.pool, hello.name))

    async def _wait_for_end(self, principal: Principal) -> None:
        await self.tokens.wait_for_end(principal)
        is_revoked = all(token.name != principal.name for token in self.tokens.all())
        for pool, host in self._of_token.pop(principal.name):
            if is_revoked:
                self.pools[pool].end_host(host, "its token was revoked")
            else:  # what runs may end: nobody has said that it must not
                self.pools[pool].drain_host(host)

    def _note(self, why: str, address: str, hello: Hello | None) -> None:
        """Keep for the pages that a host was turned away; the log has it once."""
        if self.refusals.add(why, address, hello):
            which = f"host {hello.name} of pool {hello.pool}" if hello else "a host"
            _log.warning("%s at %s was turned away: %s", which, address, why)
