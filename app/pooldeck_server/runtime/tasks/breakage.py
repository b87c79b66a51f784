"""Says in the server's log that a pool is broken, why, and that it is well again."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from pooldeck.pools.model import PoolState
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.log_subjects import about

_log = logging.getLogger(__name__)


class Condition(Protocol):
    """What of a pool tells how it is; `PoolPort` says what each means."""

    @property
    def state(self) -> PoolState: ...

    @property
    def reason(self) -> str | None: ...

    @property
    def staffed(self) -> Sequence[str]: ...


@dataclass(eq=False)
class Breakage:
    """How it was with one pool when something was said of it, so that each thing is said once."""

    pool: str
    clock: Clock
    _said: Literal["sound", "limping", "broken"] = field(init=False, default="sound")
    _broken_at: float | None = field(init=False, default=None)

    def look(self, pool: Condition) -> None:
        """Say what is new; called whenever something about the pool has changed."""
        if pool.state is PoolState.BROKEN:
            if self._said != "broken":
                self._said = "broken"
                self._say_broken(_first_line(pool.reason))
        elif pool.reason is None:
            if self._said == "limping" and pool.staffed:
                words = "pool %s gets new workers again"
                _log.warning(words, self.pool, extra=about(pool=self.pool))
            self._said = "sound"  # or it is started anew: its workers are yet to show how it is
            if self._broken_at is not None and pool.staffed:
                self._say_well(self._broken_at)
        elif self._said == "sound" and pool.staffed:
            self._said = "limping"
            self._say_limping(_first_line(pool.reason))

    def _say_broken(self, reason: str) -> None:
        if self._broken_at is None:
            self._broken_at = self.clock.monotonic()
        _log.error(
            "pool %s is broken and its tasks wait: %s. Mend that, then restart the pool, on the "
            "page /pools or by POST /api/v1/pools/%s/restart",
            self.pool,
            reason,
            self.pool,
            extra=about(pool=self.pool, reason=reason),
        )

    def _say_limping(self, reason: str) -> None:
        _log.warning(
            "pool %s goes on with the workers that it has: %s",
            self.pool,
            reason,
            extra=about(pool=self.pool, reason=reason),
        )

    def _say_well(self, broken_at: float) -> None:
        self._broken_at = None
        seconds = self.clock.monotonic() - broken_at
        _log.warning(
            "pool %s is well again, after %.0f s", self.pool, seconds, extra=about(pool=self.pool)
        )


def _first_line(reason: str | None) -> str:
    """Return the line that has the error; what follows is its traceback, and what was printed."""
    return (reason or "").strip().partition("\n")[0]
