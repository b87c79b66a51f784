"""The address: who can reach it, what is said of proxies, and what answers there now."""

import errno
import socket
from collections.abc import Iterator
from typing import Final

import httpx

from pooldeck_server.doctor.database import lock_holder
from pooldeck_server.doctor.findings import CheckResult, look, ok, wrong
from pooldeck_server.settings import Settings

_ADDRESS: Final = "address"
_PROXY: Final = "proxy"
_SERVER: Final = "server"
_SECONDS: Final = 3.0
_WILD: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what it stands for is asked
_LOCK: Final = "pooldeck.lock"
_ADMITTED: Final = {
    "local": "for the server's own user",
    "open": "for everybody",
    "tokens": "with tokens",
}
_STATES: Final = {
    "starting": "wait; if it goes on, see the notices of its page",
    "broken": "no pool can run anything: read the reason of each pool on the page Pools",
    "storage_unavailable": "the database takes no writes: see the notices, and `disk` above",
    "draining": "it takes nothing new: pooldeck drain --resume, unless it is to end",
}


def look_at(settings: Settings | None, url: str | None) -> Iterator[CheckResult]:
    """Look at what the settings say, then at what answers."""
    if settings is not None:
        yield from _address(settings)
        yield from _proxies(settings)
    if url is not None:
        yield from _server(url.rstrip("/"), is_expected=True)
    elif settings is not None and settings.port:
        is_expected = lock_holder(settings.data / _LOCK) is not None
        yield from _port(settings, is_expected=is_expected)


def _address(settings: Settings) -> Iterator[CheckResult]:
    words = f"{settings.host}:{settings.port}, {_ADMITTED[settings.admission]}"
    try:
        socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
    except OSError as error:
        yield wrong(_ADDRESS, f"{words}: {error.strerror}", "take an address of this machine")
        return
    if not settings.is_loopback:
        yield look(
            _ADDRESS,
            f"{words}: other machines reach it, and it speaks plain HTTP",
            "put a proxy that speaks TLS in front, and let only that one in",
        )
    elif settings.admission == "open":
        yield look(
            _ADDRESS,
            f"{words}: every user and every program of this machine may do everything",
            'take access = "open" out (POOLDECK_ACCESS), or set a token',
        )
    elif settings.admission == "local" and settings.trusted_proxies:
        yield look(
            _ADDRESS,
            f"{words}; but who comes through a proxy shows a token or is let in by a link",
            'set access = "tokens", and make tokens by `pooldeck token create`',
        )
    else:
        yield ok(_ADDRESS, words)


def _proxies(settings: Settings) -> Iterator[CheckResult]:
    proxies, hosts, path = settings.trusted_proxies, settings.allowed_hosts, settings.root_path
    if any(network.num_addresses > 1 and network.prefixlen == 0 for network in proxies):
        yield wrong(
            _PROXY,
            "trusted_proxies has all addresses: anybody can say who asks, and by which name",
            "list the addresses of your proxies only",
        )
    elif proxies and not hosts:
        yield look(
            _PROXY,
            "trusted_proxies is set and allowed_hosts is not: names that people use get 421",
            'name them: allowed_hosts = ["deck.example"]',
        )
    elif hosts and settings.is_loopback and not proxies:
        yield look(
            _PROXY,
            "allowed_hosts is set and trusted_proxies is not: if a proxy passes requests on, they "
            "all seem to come from it, by plain HTTP",
            'list it: trusted_proxies = ["127.0.0.1"]',
        )
    elif path and not proxies:
        yield look(
            _PROXY,
            f"root_path is {path}, and no proxy is listed that would show the server there",
            "list it under trusted_proxies, or take root_path out",
        )
    elif proxies:
        yield ok(_PROXY, f"{len(proxies)} listed, for {', '.join(hosts)}{path}")


def _port(settings: Settings, *, is_expected: bool) -> Iterator[CheckResult]:
    host = _WILD.get(settings.host, settings.host)
    shown = f"[{host}]" if ":" in host else host
    try:
        with socket.create_connection((host, settings.port), timeout=_SECONDS):
            pass
    except OSError as error:
        if is_expected:
            yield wrong(
                _SERVER,
                f"a server uses the data folder, and nothing answers at {host}:{settings.port}",
                "it listens elsewhere: name that by --url; or it hangs: see its log",
            )
        elif error.errno in {errno.ECONNREFUSED, None}:
            yield ok(_SERVER, f"none runs here; {host}:{settings.port} is free")
        else:
            yield look(_SERVER, f"{host}:{settings.port}: {error.strerror}", "see the address")
        return
    yield from _server(f"http://{shown}:{settings.port}", is_expected=is_expected)


def _server(url: str, *, is_expected: bool) -> Iterator[CheckResult]:
    """Ask what answers at an address whether it is alive and ready."""
    try:
        with httpx.Client(base_url=url, timeout=_SECONDS, trust_env=False) as client:
            alive, ready = client.get("/healthz"), client.get("/readyz")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        yield wrong(_SERVER, f"{url} does not answer ({error})", _other(is_expected))
        return
    word = _word(ready)
    if _word(alive) != "ok" or word is None:
        yield wrong(_SERVER, f"something else than Pooldeck answers at {url}", _other(is_expected))
    elif word == "ready":
        yield ok(_SERVER, f"{url} is alive and ready")
        if not is_expected:
            yield look(
                _SERVER,
                f"the server at {url} uses another data folder than this one",
                "name its --data or --config; or another --port for the one to be started here",
            )
    else:
        yield look(_SERVER, f"{url} is {word}", _STATES.get(word, "see the notices of its page"))


def _other(is_expected: bool) -> str:
    if is_expected:
        return "name where it is by --url; if it is there, it hangs: see its log"
    return "end that program, or choose another port: --port, POOLDECK_PORT"


def _word(answer: httpx.Response) -> str | None:
    try:
        found = answer.json().get("status")
    except (ValueError, AttributeError):
        return None
    return found if isinstance(found, str) else None
