"""How a boot of a host leaves: it is drained, told to end, gone; and what that makes of calls."""

import time
from dataclasses import dataclass, field
from typing import Final

from pooldeck.hosts.model import GoneBy
from pooldeck.hosts.wire import Over
from pooldeck.outcome import Error, ErrorKind, Outcome

ATTESTED: Final = {
    GoneBy.OWN_WORD: "it ended, and said so",
    GoneBy.SUCCESSOR: "its next process found that nothing of it was left",
}
"""How it is known that nothing of a boot runs, where somebody has said so."""


@dataclass(eq=False)
class Departure:
    """How far a boot of a host is on its way out.

    Args:
        host: Its name, for people.
    """

    host: str
    is_draining: bool = field(init=False, default=False)  # it is to get no calls
    over: Over | None = field(init=False, default=None)  # what it is told, if it is to end
    gone_at: float | None = field(init=False, default=None)  # when nothing of it ran any more
    gone_by: GoneBy | None = field(init=False, default=None)
    reason: str | None = field(init=False, default=None)  # why, in words
    _is_with_server: bool = field(init=False, default=False)

    @property
    def is_gone(self) -> bool:
        """Tell whether nothing of it runs any more."""
        return self.gone_at is not None

    def drain(self, why: str) -> bool:
        """Note that it is to end when nothing runs there; return whether that is news."""
        is_news = not self.is_draining
        self.is_draining = True
        self.reason = self.reason or why
        return is_news

    def end(self, why: str, *, is_final: bool = False, with_server: bool = False) -> bool:
        """Note that it is to end now; return whether that is news.

        Args:
            why: In words.
            is_final: Whether there is to be no other boot.
            with_server: Whether it ends because the server does.
        """
        if self.over is not None:
            return False
        self.is_draining = True
        self.reason = self.reason or why
        self.over = Over(why, is_final)
        self._is_with_server = with_server
        return True

    def gone(self, by: GoneBy, why: str) -> None:
        """Note that nothing of it runs any more."""
        self.gone_at, self.gone_by = time.monotonic(), by
        self.reason = f"{self.reason}: {why}" if self.reason else why

    def judged(self, outcome: Outcome) -> Outcome:
        """Say of what the end of the host cut off that it was that, if the server goes on."""
        error = outcome.error
        is_cut_off = error is not None and error.kind is ErrorKind.INTERRUPTED
        if not is_cut_off or self._is_with_server:
            return outcome
        why = self.reason or "it was stopped"
        return _lost(f"host {self.host} ended while this task ran there: {why}")

    def lost(self, why: str) -> Outcome:
        """Return how calls end that went with it."""
        return _lost(f"host {self.host} was lost while it had the task: {why}")


def _lost(words: str) -> Outcome:
    return Outcome(error=Error(ErrorKind.HOST_LOST, "HostLost", words))
