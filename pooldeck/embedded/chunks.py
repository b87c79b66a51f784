"""`map` in chunks, as the standard library's process pool has it."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from functools import partial
from itertools import islice
from typing import Any, TypeVar

T = TypeVar("T")


class ChunkedMap(Executor):
    """An executor whose `map` sends several items at a time, each chunk as one call."""

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
    ) -> Iterator[T]:
        """Call a function with each item of the iterables, side by side.

        Args:
            fn: What to call, with as many arguments as there are iterables.
            iterables: The arguments; the shortest one counts.
            timeout: For how many seconds the results may be waited for, from now.
            chunksize: How many items are sent to a worker at a time, as one call.

        Returns:
            The results, in the order of the items.

        Raises:
            TimeoutError: While iterating, if a result was not there in time.
            ValueError: If the chunk size is not at least 1.
        """
        if chunksize < 1:
            raise ValueError("chunksize must be >= 1.")
        chunks = _chunks(zip(*iterables, strict=False), chunksize)
        return _flat(super().map(partial(_call_each, fn), chunks, timeout=timeout))


def _call_each(fn: Callable[..., T], chunk: Iterable[tuple[Any, ...]]) -> list[T]:
    """Run in a worker: one chunk of `map`."""
    return [fn(*arguments) for arguments in chunk]


def _chunks(items: Iterator[tuple[Any, ...]], size: int) -> Iterator[list[tuple[Any, ...]]]:
    while chunk := list(islice(items, size)):
        yield chunk


def _flat(lists: Iterator[list[T]]) -> Iterator[T]:
    """Yield what is in the lists, and keep nothing of it."""
    for results in lists:
        results.reverse()
        while results:
            yield results.pop()
