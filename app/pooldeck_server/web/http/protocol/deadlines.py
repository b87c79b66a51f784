"""How long a part of a request may take to arrive."""

import asyncio
from collections.abc import Callable


class Deadline:
    """The time of one part after the other; `late` is called when one has not ended within its."""

    def __init__(self, loop: asyncio.AbstractEventLoop, late: Callable[[], None]) -> None:
        self._loop = loop
        self._late = late
        self._part: int | None = None
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, part: int, seconds: float) -> None:
        """Give `part` its time, from now; none is added to one that is watched already."""
        if part != self._part:
            self.stop()
            self._part = part
            self._timer = self._loop.call_later(seconds, self._late)

    def stop(self) -> None:
        """Wait for nothing."""
        self._part = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
