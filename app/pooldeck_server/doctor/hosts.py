"""Pools on hosts: whether hosts can dial in, and what engines need that start some."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Final

from pooldeck_server.doctor.findings import CheckResult, look, ok, wrong
from pooldeck_server.domain.addresses import is_loopback
from pooldeck_server.domain.errors import StartupError
from pooldeck_server.runtime.hosts.tls import server_context
from pooldeck_server.settings import HostsSettings, Settings

_TOPIC: Final = "hosts"
_READABLE: Final = 0o077


def look_at(settings: Settings) -> Iterator[CheckResult]:
    """Look at [hosts], if there is one, and at the pools that are on hosts."""
    hosts = settings.hosts
    if hosts is None:
        return
    pools = [name for name, pool in settings.pools.items() if pool.hosts is not None]
    if not pools:
        yield look(
            _TOPIC,
            "[hosts] is set, and no pool is on hosts",
            'set hosts = { engine = "manual" } for a pool, or take [hosts] out',
        )
    yield from _tls(hosts, f"{hosts.listen}, for {', '.join(pools) or 'no pool'}")
    yield from _engines(settings, hosts)


def _tls(hosts: HostsSettings, words: str) -> Iterator[CheckResult]:
    try:
        context = server_context(hosts)
    except StartupError as error:
        yield wrong(_TOPIC, str(error), "name files that belong together, as PEM, without password")
        return
    if context is None or hosts.key is None:
        yield ok(_TOPIC, f"{words}, without TLS: for hosts on this machine, or by a tunnel")
        return
    yield ok(_TOPIC, f"{words}, with TLS")
    if hosts.key.stat().st_mode & _READABLE:
        yield look(
            _TOPIC,
            f"other users of this machine can read {hosts.key}, the private key",
            f"chmod go= {hosts.key}",
        )


def _engines(settings: Settings, hosts: HostsSettings) -> Iterator[CheckResult]:
    engines = {
        name: pool.hosts.engine
        for name, pool in settings.pools.items()
        if pool.hosts is not None and pool.hosts.engine != "manual"
    }
    if not engines:
        return
    names = ", ".join(engines)
    if find_spec("distributed") is None:
        yield wrong(
            _TOPIC,
            f"Dask distributed is not installed, which is to find hosts for {names}",
            "pip install 'pooldeck[dask]'",
        )
    if hosts.address is None and not is_loopback(hosts.bound[0]):
        yield look(
            _TOPIC,
            f"hosts of {names} are told to dial {hosts.listen}",
            "if they reach the server by another name, set address under [hosts]",
        )
