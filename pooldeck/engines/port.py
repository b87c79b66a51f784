"""What an engine is to the companion process, and what it tells."""

from typing import Protocol

from msgspec import Struct


class HostTask(Struct, frozen=True):
    """What an agent is given: how its host process finds the server. Data only.

    Everything else the server tells the host process when it has dialled.
    """

    deck: str
    term: int
    pool: str
    server: str  # HOST:PORT, as hosts dial it
    token: str
    version: str  # of Pooldeck, which hosts must have too
    authority: str | None = None  # PEM; what the server's certificate is verified by
    silence: float = 30.0  # seconds without an answer after which a host process is killed

    @property
    def topic(self) -> str:
        """What the news of this pool's agents go by."""
        return f"pooldeck-{self.deck}-{self.pool}"

    @property
    def run(self) -> str:
        """Which run of which server this is for."""
        return f"{self.deck}-{self.term}"

    def key(self, number: int) -> str:
        """Return the key of an agent: whoever submits it again joins the one that runs."""
        return f"pooldeck-{self.deck}-{self.term}-{self.pool}-{number}"


class EngineSpec(Struct, frozen=True):
    """Which engine, and the way to it. Paths are those of PEM files."""

    scheduler: str
    task: HostTask
    authority: str | None = None
    certificate: str | None = None
    key: str | None = None


class HostOffer(Struct, frozen=True):
    """An agent holds a host process."""

    number: int  # of the agent
    host: str  # its name, as the server hears it from the host itself
    machine: str
    is_adopted: bool  # it was there already


class EngineListener(Protocol):
    """Hears from an engine what becomes of its hosts."""

    def placing(self, numbers: tuple[int, ...], following: int) -> None:
        """Take the numbers of the agents that will be asked for, and the next number."""

    def offered(self, offer: HostOffer) -> None:
        """Take that an agent holds a host process."""

    def left(self, host: str) -> None:
        """Take that a host process has lost its agent, since its place was taken away."""

    def ended(self, number: int, host: str | None, why: str) -> None:
        """Take that an agent has ended; the host process, if it had any, is gone."""

    def said(self, sentence: str | None) -> None:
        """Take why there are fewer hosts than are wanted; None: nothing is in the way."""


class HostEngine(Protocol):
    """Finds places for host processes and keeps as many as are wanted."""

    async def start(self) -> None:
        """Begin to look for places, in the background, for ever."""

    def want(self, hosts: int) -> None:
        """Have so many agents.

        Those that have no place yet are withdrawn if there are too many. A host process is ended
        by the server alone, which knows what it does: its agent ends with it.
        """

    async def stop(self) -> None:
        """Withdraw what has no place yet, and stop looking. Host processes go on."""
