"""Wrong tokens: counted by address, told in the log, and after some answered with "not now".

The right token is let in at any time: one who sends many wrong ones must not keep out others who
seem to come from the same address. Nobody finds a token of 16 characters by trying; what the limit
spares is the log, and whoever has an old token in a loop.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from starlette.types import Scope

from pooldeck_server.domain.errors import TooManyWrongTokens

_MINUTE: Final = 60  # seconds
_TRIES: Final = 10  # of one address within a minute
_MOST_ADDRESSES: Final = 10_000  # that are told apart within a minute
_MOST_LINES: Final = 20  # of the log within a minute
_OTHERS: Final = "others"
_HOME: Final = 64  # bits of an IPv6 address that one subscriber has for all of his
_log = logging.getLogger(__name__)


class WrongTokens:
    """Counts the wrong tokens of the present minute.

    Args:
        tell: Is given a request and the address that it came from, of the first of them only.
    """

    def __init__(self, tell: Callable[[Scope, str], None] = lambda _scope, _address: None) -> None:
        self._tell = tell
        self._minute = 0
        self._lines = self._noted = 0
        self._wrong: Counter[str] = Counter()

    def __len__(self) -> int:
        """Return how many addresses are told apart."""
        return len(self._wrong)

    def note(self, scope: Scope) -> None:
        """Count one more from the client of a request.

        Raises:
            TooManyWrongTokens: If it has sent more than it may within a minute.
        """
        now = int(time.monotonic())
        self._begin(now // _MINUTE)
        address = scope["client"][0] if scope["client"] else ""
        count = self._count(_group(address))
        if count <= _TRIES and self._noted < _MOST_LINES:
            self._noted += 1
            self._tell(scope, _group(address))
        if count == 1:
            self._say("a wrong token came from %s", address)
        if count == _TRIES + 1:
            self._say(
                "%s sends wrong tokens again and again; more of this minute are not told", address
            )
        if count > _TRIES:
            raise TooManyWrongTokens(
                f"more than {_TRIES} wrong tokens came from {address} within a minute; wait, or "
                "send the right one",
                retry_after=_MINUTE - now % _MINUTE,
            )

    def _begin(self, minute: int) -> None:
        if minute != self._minute:
            self._minute, self._lines, self._noted = minute, 0, 0
            self._wrong.clear()

    def _count(self, group: str) -> int:
        is_full = len(self._wrong) >= _MOST_ADDRESSES and group not in self._wrong
        counted = _OTHERS if is_full else group
        self._wrong[counted] += 1
        return self._wrong[counted]

    def _say(self, line: str, address: str) -> None:
        self._lines += 1
        if self._lines <= _MOST_LINES:
            _log.warning(line, address)


def _group(address: str) -> str:
    """Return what is counted together: an IPv4 address, a network of IPv6 addresses."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        return str(ip_network((found, _HOME), strict=False))
    return address
