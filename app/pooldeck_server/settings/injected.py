"""Variables that an orchestrator sets by itself for a service whose name begins with `pooldeck`.

Kubernetes tells every container of a namespace where its services are, Docker where what is linked
is. Of a service `pooldeck` they make names that look like settings: POOLDECK_PORT, for one. They
are told from mistyped settings by what stands in them, or beside them.

https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
https://docs.docker.com/engine/network/links/#environment-variables
"""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final

_SERVICE: Final = r"(POOLDECK(?:_[A-Z0-9_]+)?)"
_HOST: Final = re.compile(rf"{_SERVICE}_SERVICE_HOST")
_LINK: Final = re.compile(rf"{_SERVICE}_NAME")
_PORT: Final = re.compile(rf"{_SERVICE}_PORT")
_ONE_PORT: Final = re.compile(rf"{_SERVICE}_PORT_\d+_(TCP|UDP|SCTP)(_[A-Z]+)*")
_ADDRESS: Final = re.compile(r"(tcp|udp|sctp)://\S+:\d+")
_LINKED: Final = re.compile(r"(/[^/\s]+)+")  # the names of two containers, as in /web/pooldeck


def injected(environment: Mapping[str, str]) -> frozenset[str]:
    """Return the names of the variables that an orchestrator has set for services of this name."""
    hosts = {found[1] for found in map(_HOST.fullmatch, environment) if found}
    services = {name for name in hosts if _is_service(environment[f"{name}_SERVICE_HOST"])}
    named = {found[1] for found in map(_LINK.fullmatch, environment) if found}
    links = {name for name in named if _LINKED.fullmatch(environment[f"{name}_NAME"])}
    return frozenset(
        name
        for name, value in environment.items()
        if _is_of_port(name, value)
        or any(_is_of_service(name, value, service) for service in services)
        or any(name == f"{link}_NAME" or name.startswith(f"{link}_ENV_") for link in links)
    )


def _is_service(host: str) -> bool:
    """Tell whether `host` may be the address of a service; 0.0.0.0 is what people listen on."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return not (address.is_unspecified or address.is_loopback)


def _is_of_port(name: str, value: str) -> bool:
    if _ONE_PORT.fullmatch(name):
        return True
    return bool(_PORT.fullmatch(name) and _ADDRESS.fullmatch(value))


def _is_of_service(name: str, value: str, service: str) -> bool:
    if name == f"{service}_SERVICE_HOST":
        return True
    port = f"{service}_SERVICE_PORT"
    return value.isdecimal() and (name == port or name.startswith(f"{port}_"))
