"""How long commits take: noted by the writer thread, looked at by whoever wants to know."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_SLOW_SECONDS: Final = 1.0
_REMEMBERED_SECONDS: Final = 10.0


class Lag:
    """The commit that is under way, and the last slow one."""

    def __init__(self) -> None:
        self._begun_at: float | None = None
        self._slow = (0.0, 0.0)  # when it ended, how long it took

    @contextmanager
    def commit(self) -> Iterator[None]:
        begun_at = self._begun_at = time.monotonic()
        try:
            yield
        finally:
            self._begun_at = None
            now = time.monotonic()
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
