"""Addresses that the server must not be talked into calling: those of its own network.

Whoever may name a URL could otherwise have the server look around behind the firewall for him
(server-side request forgery). What counts is the address that is really connected to, in whichever
way it is written or wrapped.
"""

from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
_REFUSED: Final = tuple(
    map(
        ip_network,
        (
            "64:ff9b:1::/48",  # RFC 8215: NAT64 of this network
            "168.63.129.16/32",  # the platform's own endpoint in Azure, a public address
            "192.0.0.0/24",  # of protocols, and the metadata of some clouds
            "192.88.99.0/24",  # relays of 6to4
            "3fff::/20",  # RFC 9637: for documentation
            "::/96",  # IPv4 within IPv6, as it was written once
        ),
    )
)


def is_allowed(address: str, listed: Iterable[Network]) -> bool:
    """Tell whether an address may be called: it is public, or in one of the `listed` networks."""
    plain = ip_address(address.partition("%")[0])
    forms = {plain, unwrapped(plain)}
    if any(form in network for form in forms for network in listed):
        return True
    return all(map(_is_public, forms))


def unwrapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address leads to, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    if address.teredo is not None:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour or address


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and (address.ipv4_mapped or address in _NAT64):
        return True  # what it wraps decides
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not getattr(address, "is_site_local", False)
        and not any(address in network for network in _REFUSED)
    )
