"""Lets the workers of one pool forget the ends that they noted, once these are on record."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pooldeck.pools.boxes import EndsSeen
from pooldeck.pools.port import PoolPort
from pooldeck_server.runtime.recording.recorder import Recorder

_COMMIT_SECONDS: Final = 0.2  # that workers keep what they noted of ends for at least


@dataclass(kw_only=True, eq=False)
class EndCommits:
    """Of one pool."""

    pool: PoolPort
    recorder: Recorder
    report: Callable[[], None]  # gives the recorder what has ended until now
    is_closing: Callable[[], bool]
    _timer: asyncio.TimerHandle | None = field(init=False, default=None)
    _committing: tuple[EndsSeen, int] | None = field(init=False, default=None)  # and its last end

    def look_soon(self) -> None:
        """Look in a moment for ends that are on record."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_COMMIT_SECONDS, self._look)

    def _look(self) -> None:
        """Let workers forget what is on record by now; look at what came since later on."""
        self._timer = None
        if self._committing is None:
            ends = self.pool.ends()
            if not ends or self.is_closing():
                return
            self.report()
            self._committing = ends, self.recorder.ends_given
        ends, given = self._committing
        if self.recorder.ends_done >= given:
            self._committing = None
            self.pool.commit(ends)
        self.look_soon()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
