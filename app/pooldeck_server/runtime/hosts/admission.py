"""Which hosts are let in: those with a token for it, that would do as the server's own machine."""

from collections.abc import Mapping

from pooldeck.hosts.machine import versions
from pooldeck.hosts.model import HostRefused
from pooldeck.hosts.wire import Hello
from pooldeck_server.domain.access import Principal, may_run_hosts
from pooldeck_server.runtime.access.tokens import Tokens


def check_token(tokens: Tokens, hello: Hello) -> Principal:
    """Return whose token a host shows.

    Raises:
        HostRefused: If it is none, or is not for hosts of that pool.
    """
    found = tokens.find(hello.token.encode())
    if found is None:
        raise HostRefused("its token is none of this server's, or is over or revoked")
    principal = found[0]
    if not may_run_hosts(principal, hello.pool):
        raise HostRefused(
            f"its token ({principal.name}, {principal.role}) may not run hosts of pool "
            f"{hello.pool}: make one by `pooldeck token create --role host`",
        )
    return principal


def check_versions(hello: Hello) -> None:
    """Refuse a host that would not understand this server, or whose code would run otherwise.

    Raises:
        HostRefused: If it is one.
    """
    mine, its = versions(), hello.versions
    if (its_pooldeck := its.get("pooldeck", "?")) != mine["pooldeck"]:
        raise HostRefused(
            f"it has Pooldeck {its_pooldeck}, and the server has {mine['pooldeck']}: install the "
            "same on both"
        )
    if _minor(its) != _minor(mine):
        raise HostRefused(
            f"it runs {_minor(its)}, and the server {_minor(mine)}: functions may do otherwise "
            "there; take the same on both"
        )


def _minor(known: Mapping[str, str]) -> str:
    """Return which Python it is, as far as that counts: "CPython 3.11"."""
    name = known.get("implementation", "?").replace("cpython", "CPython")
    return f"{name} {'.'.join(known.get('python', '?').split('.')[:2])}"
