"""The connections there are: as many as the server can hold, and none that keeps others out.

When there are as many as may be, a newcomer takes the place of the one that has waited longest for
its next request, as in nginx; where all are being served it is refused.
"""

import resource
from collections import Counter
from ipaddress import IPv6Address, ip_address
from typing import Final, Protocol

_SHARE: Final = 3 / 4  # of what there is: of descriptors for connections, of these for one address
_NETWORK: Final = 8  # bytes; who has one address of IPv6 has all that begin like it


class Guest(Protocol):
    """What the crowd knows of a connection."""

    address: str

    def give_way(self) -> None:
        """Close at once: nothing is being served."""


class Crowd:
    """Counts the connections, in all and from each address.

    `most` and `most_of_one` are those that may be; descriptors, of which the workers and the
    database need some, and the share of a single address may leave less.
    """

    def __init__(self, most: int, most_of_one: int) -> None:
        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._most = max(1, min(most, int(descriptors * _SHARE)))
        self._most_of_one = max(1, min(most_of_one, int(self._most * _SHARE)))
        self._guests: set[Guest] = set()
        self._from: Counter[str] = Counter()
        self._waiting: dict[Guest, None] = {}  # in the order in which they began to

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._guests)

    def admit(self, guest: Guest) -> bool:
        """Take in a connection that waits for its first request; tell whether there was room."""
        address = guest.address
        if self._from[address] >= self._most_of_one:
            is_room = self._make_room(address)
        else:
            is_room = len(self._guests) < self._most or self._make_room(None)
        if is_room:
            self._guests.add(guest)
            self._from[address] += 1
            self._waiting[guest] = None
        return is_room

    def leave(self, guest: Guest) -> None:
        """Count a connection no more; it need not have been admitted."""
        if guest in self._guests:
            self._guests.remove(guest)
            self._waiting.pop(guest, None)
            self._from[guest.address] -= 1
            if not self._from[guest.address]:
                del self._from[guest.address]

    def is_served(self, guest: Guest) -> None:
        self._waiting.pop(guest, None)

    def waits(self, guest: Guest) -> None:
        """Note that a connection waits for its next request."""
        if guest in self._guests:
            self._waiting[guest] = None

    def _make_room(self, address: str | None) -> bool:
        """Let the one go that has waited longest, of those at `address` if it is given."""
        for guest in self._waiting:
            if address is None or guest.address == address:
                self.leave(guest)
                guest.give_way()
                return True
        return False


def network(host: str) -> str:
    """Return what of a client's address counts: of IPv6, the network that one client has."""
    if ":" not in host:
        return host
    address = ip_address(host.partition("%")[0])
    if not isinstance(address, IPv6Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return address.packed[:_NETWORK].hex()
