"""Proxies in front of the server: what they say of the requests that they pass on.

Anybody can send such headers, so they count only from peers that are listed. A header that stands
there several times, or has several values, was lengthened on its way: what the nearest proxy has
added comes last. `Forwarded` (RFC 7239) is not read: common proxies pass it on as a client sent it.
"""

import logging
from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from operator import itemgetter
from typing import Final

from starlette.types import Scope

from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.settings import Settings
from pooldeck_server.settings.root_path import read_root_path
from pooldeck_server.web.http.mount import enter

_FOR: Final = b"x-forwarded-for"
_PROTO: Final = b"x-forwarded-proto"
_HOST: Final = b"x-forwarded-host"
_PREFIX: Final = b"x-forwarded-prefix"
_LOOKED_AT: Final = {_FOR, _PROTO, _HOST, _PREFIX}
_name = itemgetter(0)
_SCHEMES: Final = {"http", "https"}
_LONGEST_SHOWN: Final = 100  # characters of a header that makes no sense
_BY_PROXY: Final = "pooldeck.by_proxy"
_log = logging.getLogger(__name__)


class Proxies:
    """Finds out who has asked, by which address, behind the proxies that are trusted."""

    def __init__(self, settings: Settings) -> None:
        self._networks = settings.trusted_proxies
        self._root_path = settings.root_path
        self._has_warned = False
        self._is_trusted = lru_cache(maxsize=1024)(self._is_listed)

    def follow(self, scope: Scope) -> None:
        """Let `scope` say of a request what it was for the one that has sent it.

        Raises:
            InvalidRequest: If a trusted proxy says what cannot be.
        """
        root_path = self._root_path
        if self._networks and self._is_trusted(peer := _peer(scope)):
            said = _said(scope["headers"])
            scope[_BY_PROXY] = True
            if _FOR in said:
                scope["client"] = (self._client(peer, said[_FOR]), 0)
            scope["scheme"] = _scheme(said, scope["scheme"])
            _take_host(scope, said)
            root_path = _prefix(said, root_path)
        elif not self._has_warned:
            self._warn_once(scope)
        enter(scope, self._root_path, root_path)

    def _warn_once(self, scope: Scope) -> None:
        """Say that a proxy is not believed: links, cookies and addresses may be wrong for it."""
        if not _LOOKED_AT.isdisjoint(map(_name, scope["headers"])):
            self._has_warned = True
            _log.warning(
                "%s sends X-Forwarded-… and is not believed. If it is your proxy, write "
                'trusted_proxies = ["%s"] in pooldeck.toml; this is said once',
                *(2 * [_peer(scope)]),
            )

    def _client(self, peer: str, chain: str) -> str:
        """Return who is the last in a chain of addresses that is not one of the proxies."""
        client = peer
        for hop in reversed(chain.split(",")):
            address = _address(hop.strip())
            if address is None:
                break
            client = address
            if not self._is_trusted(client):
                break
        return client

    def _is_listed(self, address: str) -> bool:
        known = _ip(address)
        return known is not None and any(known in network for network in self._networks)


def came_by_proxy(scope: Scope) -> bool:
    """Tell whether a proxy that is trusted has passed a request on, once it was followed."""
    return _BY_PROXY in scope


def _peer(scope: Scope) -> str:
    return scope["client"][0] if scope["client"] else ""


def _said(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, str]:
    """Return what was forwarded, by header: all of its values, with commas between them."""
    said: dict[bytes, str] = {}
    for name, value in headers:
        if name in _LOOKED_AT:
            text = value.decode("latin-1")
            said[name] = f"{said[name]},{text}" if name in said else text
    return said


def _last(said: Mapping[bytes, str], name: bytes) -> str | None:
    """Return what the nearest proxy has said by a header."""
    return said[name].rpartition(",")[2].strip() if name in said else None


@lru_cache(maxsize=1024)
def _address(hop: str) -> str | None:
    """Return the address of one hop, which may come with a port; None where it is none."""
    host, _, port = hop.rpartition(":")
    bare = host if port.isdecimal() and (host.count(":") == 0 or host.endswith("]")) else hop
    found = _ip(bare.removeprefix("[").removesuffix("]"))
    return None if found is None else str(found)


def _ip(text: str) -> IPv4Address | IPv6Address | None:
    """Return an address; one of IPv4 that IPv6 carries is one of IPv4."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _scheme(said: Mapping[bytes, str], otherwise: str) -> str:
    given = _last(said, _PROTO)
    scheme = given.lower() if given else otherwise
    if scheme not in _SCHEMES:
        raise _senseless("X-Forwarded-Proto", scheme, "it is either http or https")
    return scheme


def _take_host(scope: Scope, said: Mapping[bytes, str]) -> None:
    """Put the host that was asked for in the place of the one that the proxy has asked for."""
    if host := _last(said, _HOST):
        value = host.encode("latin-1")
        scope["headers"] = [
            (name, value if name == b"host" else old) for name, old in scope["headers"]
        ]


def _prefix(said: Mapping[bytes, str], otherwise: str) -> str:
    text = _last(said, _PREFIX)
    if text is None:
        return otherwise
    try:
        return read_root_path(text)
    except ValueError as error:
        raise _senseless("X-Forwarded-Prefix", text, str(error)) from None


def _senseless(name: str, value: str, why: str) -> InvalidRequest:
    return InvalidRequest(f'the proxy sends {name} "{value[:_LONGEST_SHOWN]}": {why}')
