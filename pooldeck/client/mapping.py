"""`map` with a bounded window: so many calls are on their way, and the rest waits."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import TimeoutError as FutureTimeoutError
from itertools import islice
from typing import Any, Final

from pooldeck.client.future import RemoteFuture

WINDOW: Final = 2_000
"""How many calls of a `map` are on their way at a time, unless it is said."""

Submit = Callable[[tuple[Any, ...]], RemoteFuture[Any]]
Drop = Callable[[list[RemoteFuture[Any]]], None]


class Window:
    """Calls on their way, in order.

    Args:
        submit: Submits the call with these arguments.
        calls: The arguments of each call, taken only as there is room.
        size: How many may be on their way.
        drop: Given those that nobody asks for any more.
    """

    def __init__(
        self, submit: Submit, calls: Iterator[tuple[Any, ...]], size: int, drop: Drop
    ) -> None:
        if size < 1:
            raise ValueError(f"the window of a map is at least 1, not {size}")
        self._submit = submit
        self._calls = calls
        self._drop = drop
        self._futures = deque(submit(arguments) for arguments in islice(calls, size))

    def __bool__(self) -> bool:
        return bool(self._futures)

    @property
    def head(self) -> RemoteFuture[Any]:
        """Return the future whose result is next."""
        return self._futures[0]

    def advance(self) -> None:
        """Leave that one, which has ended, and submit a call in its place."""
        self._futures.popleft()
        for arguments in islice(self._calls, 1):
            self._futures.append(self._submit(arguments))

    def result(self, timeout: float | None) -> Any:
        """Wait for the next result for so many seconds; return it, and advance."""
        result = self.head.result(timeout)
        self.advance()
        return result

    def close(self) -> None:
        """Cancel what is left."""
        if self._futures:
            self._drop([future for future in self._futures if not future.done()])
            self._futures.clear()


def results(window: Window, timeout: float | None) -> Iterator[Any]:
    """Return the results of a window, in order; `timeout` is in seconds from now."""
    until = None if timeout is None else time.monotonic() + timeout
    return _results(window, until)


def _results(window: Window, until: float | None) -> Iterator[Any]:
    try:
        while window:
            left = None if until is None else until - time.monotonic()
            if left is not None and left < 0:
                raise FutureTimeoutError
            yield window.result(left)
    finally:
        window.close()
