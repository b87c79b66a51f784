"""Links that log a browser in, each once: for people who cannot be let in by who they are.

The server's own user needs none on this machine. A browser of another user, or one that comes
through a tunnel, shows by it that it has been told by somebody who may see what the server says.
"""

import hmac
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.tokens import key_of, new_secret

LINK_SECONDS: Final = 15 * 60
_MOST: Final = 20  # that were made and not used; the oldest makes room


@dataclass(eq=False)
class LoginLinks:
    """Those that were made and may be used; in memory, by a hash of their secret."""

    address: str  # of the server
    clock: Clock
    _until: deque[tuple[str, float]] = field(init=False)  # key, and when it is over

    def __post_init__(self) -> None:
        self._until = deque(maxlen=_MOST)

    def make(self) -> str:
        """Return a new link."""
        secret = new_secret()
        self._until.append((key_of(secret.encode()), self.clock.monotonic() + LINK_SECONDS))
        return f"{self.address}/login?once={secret}"

    def use(self, secret: str) -> bool:
        """Tell whether this is the secret of a link that counts; it does not from now on."""
        key, now = key_of(secret.encode()), self.clock.monotonic()
        found = [each for each in self._until if hmac.compare_digest(each[0], key)]
        for each in found:
            self._until.remove(each)
        return any(until > now for _, until in found)
