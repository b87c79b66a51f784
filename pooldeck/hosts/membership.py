"""A host's part in the pool of a server: the connection, and the lease that goes with it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from msgspec import Struct

from pooldeck.hosts.boot_end import BootEnding
from pooldeck.hosts.lease import HostLease, host_clock
from pooldeck.hosts.machine import this_machine, versions
from pooldeck.hosts.stream import FrameStream
from pooldeck.hosts.talk import Talk
from pooldeck.hosts.untaken import ClosedAtOnceError, Secured, TurnedAwayError
from pooldeck.hosts.wire import (
    FromHost,
    FromServer,
    Gone,
    Grant,
    Hello,
    NotTaken,
    Over,
    Renew,
    Welcome,
    encode,
    from_server,
)
from pooldeck.protocol import ProtocolError

_log: Final = logging.getLogger(__name__)
_REDIAL: Final = 0.25  # seconds after a connection was lost
_LONGEST_PAUSE: Final = 10.0  # between two tries to be taken
_ANSWER: Final = 10.0  # seconds for a server to answer a `Hello`
_SILENCE: Final = 3.0  # requests for a lease that are not answered: the connection is dead
_SLACK: Final = 0.5  # seconds before the end of the lease, to end by itself


class HostSpec(Struct, frozen=True):
    """What a host says of itself."""

    pool: str
    name: str
    token: str
    has: dict[str, float] = {}


class Membership:
    """What a boot of a host has of a server: a connection, again and again, and a lease.

    Args:
        spec: What the host says of itself.
        boot: The boot.
        dial: Opens a connection to the server.
        secured: What secures its connections.
        read: Called with what the server says that is about the pool.
        extend: Has what runs end at a later moment; returns whether somebody will end it.
        ending: Whether the boot is to end.
    """

    def __init__(
        self,
        spec: HostSpec,
        boot: str,
        dial: Callable[[], Awaitable[FrameStream]],
        secured: Secured,
        *,
        read: Callable[[FromHost | FromServer], None],
        extend: Callable[[float], bool],
        ending: BootEnding,
    ) -> None:
        self.talk = Talk.with_server(self._read, self._lost)
        self.lease: HostLease
        self.deck, self.term = "", 0  # of the server, once it has taken the host
        self._spec = spec
        self._boot = boot
        self._dial = dial
        self._secured = secured
        self._read_on = read
        self._extend = extend
        self._ending = ending
        self._machine = this_machine()
        self._heard_at = 0.0
        self._away = asyncio.Event()  # there is no connection

    @property
    def is_fenced(self) -> bool:
        """Tell whether nothing may begin any more."""
        return self._ending.is_begun or self.lease.left <= 0

    async def enter(self, gone: list[Gone]) -> Welcome | None:
        """Dial until the server takes the host; None if it never will, or is not to."""
        pause, last = _REDIAL, ""
        while not self._ending.is_begun:
            try:
                return await self._join(gone, is_first=True)
            except (OSError, ProtocolError, TimeoutError) as error:
                why = self._secured.why(error)
                if why != last:
                    _log.warning("host %s %s", self._spec.name, why)
                last = why
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.begun(), pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return None

    async def _join(self, gone: list[Gone], *, is_first: bool) -> Welcome | None:
        """Dial once, and say who this is.

        Returns:
            What the server says; None if it does not want this boot, which is noted.

        Raises:
            OSError: If there is no server there, or not the one that is meant.
            ProtocolError: If what answers is none.
            TimeoutError: If it does not answer in time.
        """
        stream = await asyncio.wait_for(self._dial(), _ANSWER)
        try:
            asked = host_clock() if is_first else self.lease.ask()
            stream.send(0, encode(self._hello(gone, is_first=is_first)))
            received = await asyncio.wait_for(stream.receive(), _ANSWER)
            if received is None:
                raise ClosedAtOnceError
            answer = from_server(received[1])
            match answer:
                case NotTaken():
                    self._refused(answer)
                case Over():
                    self._ending.begin(answer.why, is_final=answer.is_final)
                case Welcome():
                    self._take_on(answer, asked)
                    self.talk.connect(stream, answer.received)
                    self._away.clear()
                    return answer
                case _:
                    raise ProtocolError(f"a server does not begin with a {type(answer).__name__}")
        finally:
            if not self.talk.is_connected:
                stream.close()
        return None

    def _hello(self, gone: list[Gone], *, is_first: bool) -> Hello:
        return Hello(
            *(self._spec.token, self._spec.pool, self._spec.name, self._boot, self._machine),
            versions(),
            self._spec.has,
            self.deck,
            self.term,
            self.talk.acked(),
            tuple(gone),
            rejoin=not is_first,
        )

    def _refused(self, answer: NotTaken) -> None:
        """Note a refusal.

        Raises:
            TurnedAwayError: If it is worth another try.
        """
        if not answer.is_final:
            raise TurnedAwayError(answer.why)
        self._ending.begin(answer.why, is_final=True)

    def _take_on(self, welcome: Welcome, asked: float) -> None:
        self._heard_at = host_clock()
        if not self.deck:
            self.deck, self.term = welcome.deck, welcome.term
            self.lease = HostLease(welcome.lease, until=asked + welcome.lease)
            _log.info("host %s is part of pool %s", self._spec.name, welcome.pool.name)
        else:
            self._prolong(int(asked))

    def _prolong(self, asked: int) -> None:
        """Take a longer lease, if there is somebody who ends it."""
        until = self.lease.granted(asked)
        if until > self.lease.until and self._extend(until):
            self.lease.until = until

    async def stay_in_touch(self) -> None:
        """Dial again whenever the connection is lost."""
        while True:
            await self._away.wait()
            with suppress(OSError, ProtocolError, TimeoutError):
                await self._join([], is_first=False)
            await asyncio.sleep(_REDIAL)

    def _lost(self, why: str | None) -> None:
        if not self._ending.is_begun:
            _log.warning("host %s lost its connection: %s", self._spec.name, why or "it was closed")
            if why is not None:
                self._ending.begin(f"the server said what cannot be taken: {why}")
        self._away.set()

    async def renew(self, seconds: float) -> None:
        """Ask for a longer lease now and then; end when it is over."""
        slack = min(_SLACK, self.lease.seconds / 10)
        while (left := self.lease.left - slack) > 0:
            if self.talk.is_connected and host_clock() - self._heard_at > _SILENCE * seconds + 1:
                self.talk.disconnect()
            self.talk.send_now(Renew(self.lease.ask(), self.talk.acked()))
            await asyncio.sleep(min(seconds, left))
        self._ending.begin("its lease is over: nothing was heard from the server in time")

    def _read(self, message: FromHost | FromServer) -> None:
        match message:
            case Grant():
                self._heard_at = host_clock()
                self.talk.acknowledge(message.received)
                self._prolong(message.n)
            case Over():
                self._ending.begin(message.why, is_final=message.is_final)
            case _:
                self._read_on(message)
