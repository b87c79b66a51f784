"""Whether a boot of a host is heard of, and when everything that it runs has certainly ended."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from pooldeck.hosts.lease import ServerLease
from pooldeck.hosts.model import HostTerms

_SILENT: Final = 2.5  # requests for a lease that do not come: there is no contact


class HostContact:
    """The server's watch over one boot of a host.

    Args:
        terms: On which it is part of the server.
        on_change: Called when it is heard of again, or no more.
        on_over: Called when its lease is over, and the time to end everything.
    """

    def __init__(
        self, terms: HostTerms, on_change: Callable[[], None], on_over: Callable[[], None]
    ) -> None:
        self._lease = ServerLease(terms.lease, terms.margin, terms.rate_bound)
        self._silence_seconds = _SILENT * terms.renew
        self._on_change = on_change
        self._on_over = on_over
        self._loop = asyncio.get_running_loop()
        self._silence: asyncio.TimerHandle | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self.heard_at = time.monotonic()
        self.is_there = False  # it was heard of lately

    @property
    def over_at(self) -> float:
        """Return when everything has certainly ended, if nothing more is heard of it."""
        return self._lease.over_at

    def grant(self) -> bool:
        """Note a grant of a lease that is sent after this; return whether it may be."""
        return self._lease.grant()

    def heard(self) -> None:
        """Note that it was heard of, and listen for the next time."""
        self.heard_at = time.monotonic()
        if self._silence is not None:
            self._silence.cancel()
        self._silence = self._loop.call_later(self._silence_seconds, self.lost)
        if not self.is_there:
            self.is_there = True
            self._on_change()

    def lost(self) -> None:
        """Note that it is not heard of any more."""
        if self.is_there:
            self.is_there = False
            self._on_change()

    def watch(self) -> None:
        """Look again when the lease is over, if it is not longer by then."""
        if self._expiry is not None:
            self._expiry.cancel()
        left = self._lease.over_at - time.monotonic()
        self._expiry = self._loop.call_later(max(0.0, left), self._judge)

    def _judge(self) -> None:
        if self._lease.give_up():
            self._on_over()
        else:
            self.watch()

    def end(self) -> None:
        """Grant nothing any more, and watch no more: it is gone."""
        self._lease.is_given_up = True
        self.is_there = False
        self.close()

    def close(self) -> None:
        """Watch no more."""
        for timer in (self._expiry, self._silence):
            if timer is not None:
                timer.cancel()
