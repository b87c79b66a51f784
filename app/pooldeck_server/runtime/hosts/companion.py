"""The companion of a pool whose hosts an engine offers: wanted hosts, and why there are fewer.

The engine's code runs in a process of its own, which is started anew whenever it dies; the numbers
of its agents are kept here, so that the next one joins them. No call of a pool goes through it: its
death stops nothing.
"""

import asyncio
import logging
import sys
from collections.abc import Callable, Sequence
from time import monotonic
from typing import ClassVar, Final, Protocol

import msgspec

from pooldeck.companion import Companion
from pooldeck.engines import frames
from pooldeck.engines.port import EngineSpec, HostOffer
from pooldeck.pools.model import PoolSpec
from pooldeck.protocol import FrameBuffer, ProtocolError
from pooldeck_server.runtime.background import BackgroundPart

_log = logging.getLogger(__name__)
_PAUSE: Final = 1.0  # seconds before another try to start the process
_LONGEST: Final = 60.0
_TURN: Final = 1.0  # seconds between two looks at which hosts have to go
_ATTACHED: Final = "attached"
_ORPHANED: Final = 60.0  # seconds for another agent to hold a host whose place was taken away


class SeenHost(Protocol):
    """What of the picture of a host concerns its engine."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def state(self) -> str:
        """Whether it is attached."""

    @property
    def busy(self) -> int:
        """How many of its slots have a call."""

    @property
    def since(self) -> float:
        """A moment that is later for those that attached later."""


class EnginePool(Protocol):
    """What of a pool's hosts concerns its engine."""

    @property
    def spec(self) -> PoolSpec:
        """What the pool is made of."""

    @property
    def hosts(self) -> Sequence[SeenHost]:
        """The hosts that there are, or were a while ago."""

    def drain_host(self, name: str) -> bool:
        """Hand a host nothing new, and let it go when nothing runs there any more.

        Returns:
            Whether there is such a host. If not, nothing was done.
        """


class EngineCompanion(BackgroundPart):
    """Has an engine keep as many hosts as are wanted, and lets those go that are too many."""

    doing = "keeping the hosts that an engine offers"

    def __init__(
        self,
        engine: str,
        spec: EngineSpec,
        pool: EnginePool,
        wanted: int,
        *,
        on_change: Callable[[], None] = lambda: None,
        orphaned_seconds: float = _ORPHANED,
    ) -> None:
        """Prepare the companion.

        Args:
            engine: The name of the engine.
            spec: The way to it, and from its hosts to this server.
            pool: Whose hosts these are.
            wanted: How many it is to have.
            on_change: Called when `sentence`, `placed` or `offers` have changed.
            orphaned_seconds: Until a host is drained whose place was taken away.
        """
        self._pool = pool
        self._on_change = on_change
        self._orphaned_seconds = orphaned_seconds
        self._offers: dict[str, HostOffer] = {}
        self._orphans: dict[str, float] = {}  # when they lost their agents, by host
        self._known: set[str] = set()  # the others were started by hand, and stay
        self._process = _Process(engine, spec, wanted, self._heard, self._died)

    @property
    def pid(self) -> int:
        """The process id of the present companion, once one has been started."""
        return self._process.pid

    @property
    def wanted(self) -> int:
        """How many hosts the pool is to have."""
        return self._process.wanted

    @property
    def sentence(self) -> str | None:
        """Why there are fewer hosts than are wanted, for people; None if all is well."""
        return self._process.sentence

    @property
    def offers(self) -> tuple[HostOffer, ...]:
        """The hosts that agents hold now."""
        return tuple(self._offers.values())

    @property
    def placed(self) -> int:
        """How many hosts agents hold now."""
        return len(self._offers)

    def want(self, hosts: int) -> None:
        """Have another number of hosts; those too many are drained, the idle ones first."""
        self._process.want(hosts)
        self._let_surplus_go()

    async def stop(self) -> None:
        """End the process; agents without a place are withdrawn, hosts go on."""
        await super().stop()
        await self._process.stop_if_started()

    async def _run(self) -> None:
        await self._process.start_at_last()
        while True:
            self._let_orphans_go()
            self._let_surplus_go()
            await asyncio.sleep(_TURN)

    def _heard(self, message: frames.FromCompanion) -> None:
        match message:
            case frames.HostOffered(offer=offer):
                self._offered(offer)
            case frames.AgentLeft(host=host):
                self._left(host)
            case frames.AgentEnded(number=number, host=host, why=why):
                self._ended(number, host, why)
        self._on_change()

    def _offered(self, offer: HostOffer) -> None:
        for host, other in list(self._offers.items()):
            if other.number == offer.number and host != offer.host:
                self._left(host)  # without a word, as when the scheduler died first
        self._offers[offer.host] = offer
        self._orphans.pop(offer.host, None)
        self._known.add(offer.host)

    def _left(self, host: str) -> None:
        self._offers.pop(host, None)
        self._orphans[host] = monotonic()

    def _ended(self, number: int, host: str | None, why: str) -> None:
        level = logging.INFO if host is not None else logging.WARNING
        name = f"the host {host}" if host is not None else "a host"
        _log.log(level, "%s of pool %s ended: %s", name, self._pool.spec.name, why)
        if host is not None and (offer := self._offers.get(host)) and offer.number == number:
            del self._offers[host]

    def _died(self) -> None:
        """Forget who holds what: the next process hears it again."""
        self._offers.clear()
        self._on_change()

    def _let_orphans_go(self) -> None:
        """Drain hosts whose places were taken away, and that no other agent has found since."""
        due = monotonic() - self._orphaned_seconds
        for host in [host for host, since in self._orphans.items() if since <= due]:
            del self._orphans[host]
            if self._pool.drain_host(host):
                _log.info("the host %s is drained: its place at the engine is gone", host)

    def _let_surplus_go(self) -> None:
        """Drain hosts beyond those wanted.

        Those without a place go first, then those that do least, the youngest of them first.
        """
        hosts = [
            host
            for host in self._pool.hosts
            if host.state == _ATTACHED and host.name in self._known
        ]
        hosts.sort(key=lambda host: (host.name not in self._orphans, host.busy, -host.since))
        for host in hosts[: max(0, len(hosts) - self.wanted)]:
            self._pool.drain_host(host.name)


class _Process(Companion):
    """The process that the engine's code runs in."""

    name: ClassVar[str] = "companion of an engine"
    longest_pause: ClassVar[float] = _LONGEST

    def __init__(
        self,
        engine: str,
        spec: EngineSpec,
        wanted: int,
        on_word: Callable[[frames.FromCompanion], None],
        on_death: Callable[[], None],
    ) -> None:
        super().__init__(self._dead)
        self._engine = engine
        self._spec = spec
        self._on_word = on_word
        self._on_dead = on_death
        self._numbers: tuple[int, ...] = ()
        self._following = 1
        self._buffer = FrameBuffer()
        self._is_started = False
        self.wanted = wanted
        self.sentence: str | None = None

    async def start_at_last(self) -> None:
        """Start the process, however often that has to be tried."""
        pause = _PAUSE
        while not self._is_started:
            try:
                await self.start()
            except OSError as error:
                self.sentence = f"the companion of the engine {self._engine} does not start"
                _log.warning("%s, trying again: %s", self.sentence, error)
                await asyncio.sleep(pause)
                pause = min(_LONGEST, 2 * pause)
            else:
                self._is_started = True

    async def stop_if_started(self) -> None:
        if self._is_started:
            await self.stop()

    def want(self, hosts: int) -> None:
        """Have another number of hosts; a process that does not get this is asked again soon."""
        self.wanted = hosts
        if self._is_started:
            self._tell(self.question())

    def command(self, descriptor: int) -> list[str]:
        """Return the command; what Dask's configuration says in the environment holds for it."""
        user_site = ["-s"] if sys.flags.no_user_site else []
        return ["-P", *user_site, "-m", "pooldeck.engines", str(descriptor)]

    def greeting(self) -> bytes:
        """Return what it is for, and which agents it finds; the token is in here alone."""
        begin = frames.Commission(
            self._engine, self._spec, self.wanted, self._numbers, self._following
        )
        return frames.frame(begin)

    def question(self) -> bytes:
        """Return the number of hosts, which is answered."""
        return frames.frame(frames.WantHosts(self.wanted))

    def heard(self, data: bytes) -> None:
        try:
            for body in self._buffer.feed(data):
                self._take(frames.from_companion(body))
        except (ProtocolError, msgspec.MsgspecError) as error:
            _log.warning("the %s is killed: it sent what is no frame (%s)", self.name, error)
            self.kill()

    def _take(self, message: frames.FromCompanion) -> None:
        match message:
            case frames.StillHere():
                return
            case frames.PlacingAgents(numbers=numbers, following=following):
                self._numbers, self._following = numbers, following
            case frames.EngineSaid(sentence=sentence):
                self.sentence = sentence
        self._on_word(message)

    def _dead(self) -> None:
        self._buffer = FrameBuffer()
        self.sentence = f"the companion of the engine {self._engine} died; it is started again"
        self._on_dead()
