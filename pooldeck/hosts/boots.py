"""The boots of a pool's hosts: who is let in, who is here, and who has room for a call."""

from collections.abc import Collection, Iterator
from typing import Protocol

from msgspec.structs import replace

from pooldeck.hosts.link import HostLink, LinkOwner
from pooldeck.hosts.model import GoneBy, HostRefused, HostTerms
from pooldeck.hosts.posted import Posted
from pooldeck.hosts.stream import FrameStream
from pooldeck.hosts.wire import Gone, Hello
from pooldeck.pools.model import PoolSpec


class BootsOwner(LinkOwner, Protocol):
    """Who has the pool."""

    @property
    def spec(self) -> PoolSpec:
        """What the pool on each host is made of."""

    def left(self, gone: Gone) -> None:
        """Some boot of an earlier run of the server has left that."""


class HostBoots:
    """The boots of hosts, the oldest first; for a while those that are gone, too.

    Args:
        terms: On which they are part of the server.
        owner: Is told what becomes of their calls.
    """

    def __init__(self, terms: HostTerms, owner: BootsOwner) -> None:
        self._terms = terms
        self._owner = owner
        self._links: dict[str, HostLink] = {}  # by boot

    def __iter__(self) -> Iterator[HostLink]:
        return iter(self._links.values())

    @property
    def here(self) -> Iterator[HostLink]:
        """Yield those that are not gone."""
        return (link for link in self._links.values() if not link.is_gone)

    def get(self, boot: str) -> HostLink | None:
        return self._links.get(boot)

    def named(self, name: str) -> list[HostLink]:
        """Return those of a host that are not gone."""
        return [link for link in self.here if link.name == name]

    def forget(self, boot: str) -> None:
        self._links.pop(boot, None)

    def attach(self, hello: Hello, stream: FrameStream) -> HostLink | None:
        """Let a boot in, or go on with one whose connection was lost.

        Returns:
            The boot, if it is a new one.

        Raises:
            HostRefused: If it is not taken.
            ProtocolError: If it says that it has received what it cannot have.
        """
        spec = self._owner.spec
        link = self._links.get(hello.boot)
        if link is not None:
            link.attach(hello, stream, spec)
            return None
        if hello.rejoin:
            raise HostRefused("this server does not know this boot of the host")
        for gone in hello.gone:
            self._take_gone(gone)
        self._refuse_double(hello)
        link = HostLink(replace(hello, gone=()), self._terms, spec, self._owner)
        self._links[hello.boot] = link
        link.attach(hello, stream, spec)
        return link

    def _take_gone(self, gone: Gone) -> None:
        link = self._links.get(gone.boot)
        if link is not None and gone.term == self._terms.term and gone.deck == self._terms.deck:
            link.resolve(gone, GoneBy.SUCCESSOR)
        else:
            self._owner.left(gone)

    def _refuse_double(self, hello: Hello) -> None:
        """Refuse a second host of one name.

        Raises:
            HostRefused: If the first one may still run something.
        """
        for link in self.named(hello.name):
            there = link.hello.machine
            if there.sees_processes_of(hello.machine):
                where = "on the same machine"
            else:
                where = f"on {there.hostname}, and this one is on {hello.machine.hostname}"
            why = f"pool {self._owner.spec.name} has a host {hello.name} already, {where}"
            raise HostRefused(f"{why}: it is taken when that one is certainly gone")

    def with_room(self, among: Collection[str] | None, *, is_quick: bool) -> HostLink | None:
        """Return the one with the most room for a call; None if there is none.

        Args:
            among: Workers that can run it; None: all can.
            is_quick: Whether it may wait behind other quick ones.
        """
        link, most = None, 0
        for each in self._links.values():
            if each.free > most and each.room.can_run(among):
                link, most = each, each.free
        if link is None and is_quick:
            for each in self._links.values():
                if each.lead > most and each.room.can_run(among):
                    link, most = each, each.lead
        return link

    def holding(self, task: str) -> tuple[HostLink, Posted] | None:
        """Return who has the call of a task, and that; None if nobody has."""
        for link in self.here:
            handed = link.calls.get(task)
            if handed is not None:
                return link, handed
        return None
