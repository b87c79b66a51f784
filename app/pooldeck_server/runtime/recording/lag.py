"""How long commits take: noted by the writer thread, looked at by whoever wants to know."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from pooldeck_server.domain.measurements.cumulative import ANSWER_SECONDS, CumulativeHistogram
from pooldeck_server.runtime.background import BackgroundPart

_log = logging.getLogger(__name__)
_LOOK_SECONDS: Final = 1.0
_SLOW_SECONDS: Final = 1.0
_REMEMBERED_SECONDS: Final = 10.0


class Lag:
    """The commit that is under way, the last slow one, and how long all of them took."""

    def __init__(self) -> None:
        self._begun_at: float | None = None
        self._slow = (0.0, 0.0)  # when it ended, how long it took
        self.took = CumulativeHistogram(ANSWER_SECONDS)

    @contextmanager
    def commit(self) -> Iterator[None]:
        begun_at = self._begun_at = time.monotonic()
        try:
            yield
        finally:
            self._begun_at = None
            now = time.monotonic()
            self.took.add(now - begun_at)
            if now - begun_at >= _SLOW_SECONDS:
                self._slow = (now, now - begun_at)

    def seconds(self) -> float | None:
        """Return how long a commit has been under way, or took a moment ago, if that is slow."""
        begun_at, (ended_at, took) = self._begun_at, self._slow
        now = time.monotonic()
        waiting = 0.0 if begun_at is None else now - begun_at
        if waiting >= _SLOW_SECONDS:
            return waiting
        return took if took and now - ended_at < _REMEMBERED_SECONDS else None


@dataclass(eq=False)
class LagWatch(BackgroundPart):
    """Says in the server's log when commits begin to take long, and when they no longer do."""

    doing = "looking at how long commits take"

    lag: Callable[[], float | None]  # gives how long one takes that is slow
    _longest: float | None = field(init=False, default=None)  # of those since commits are slow

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        """Say what is new."""
        longest, seconds = self._longest, self.lag()
        if seconds is not None and longest is None:
            _log.warning(
                "the database lags: a commit has taken more than %.1f s so far. The disk is slow "
                "or busy, or another program holds the database",
                seconds,
            )
        elif seconds is None and longest is not None:
            _log.warning("the database lags no more; the longest commit took %.1f s", longest)
        self._longest = None if seconds is None else max(seconds, longest or 0.0)
