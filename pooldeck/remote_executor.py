"""`RemoteExecutor`: a server's pools as a `concurrent.futures.Executor`."""

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, wait
from typing import Any, Final, ParamSpec, TypeVar, cast

from pooldeck.client.client import Client
from pooldeck.client.future import RemoteFuture
from pooldeck.client.mapping import Window, results

P = ParamSpec("P")
T = TypeVar("T")

_SHUT_DOWN: Final = "cannot schedule new futures after shutdown"


class RemoteExecutor(Executor):
    """Runs functions as tasks on a server, for programs that are written for an executor.

    Args:
        client_or_url: A client to submit by, which stays open; or where the server is. By default
            it is found as `Client()` finds it.
        token: What lets it in, where no client is given.
        options: Of all submissions, as for `Client.options`.
    """

    def __init__(
        self,
        client_or_url: Client | str | None = None,
        token: str | None = None,
        **options: Any,
    ) -> None:
        self._is_own = not isinstance(client_or_url, Client)
        self._client = (
            client_or_url if isinstance(client_or_url, Client) else Client(client_or_url, token)
        )
        self._submitting = self._client.options(**options)
        self._lock = threading.Lock()
        self._is_shut = False
        self._futures: set[RemoteFuture[Any]] = set()  # those that have not ended

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> RemoteFuture[T]:
        """Have a function run as a task; as `Client.submit`.

        Raises:
            RuntimeError: If the executor is shut down.
        """
        with self._lock:
            if self._is_shut:
                raise RuntimeError(_SHUT_DOWN)
            future = cast(RemoteFuture[T], self._submitting.submit(fn, *args, **kwargs))
            self._futures.add(future)
        future.add_done_callback(self._futures.discard)
        return future

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        window: int = sys.maxsize,
    ) -> Iterator[T]:
        """Call a function with each item of the iterables; return the results in order.

        Args:
            fn: What to call.
            iterables: The arguments; the shortest one counts.
            timeout: For how many seconds the results may be waited for, from now.
            chunksize: Is there for programs that give it: each item is a task of its own, and those
                travel together anyway.
            window: How many calls are on their way at a time; by default all, as with the other
                executors, whose `map` takes everything from the iterables at once.

        Raises:
            RuntimeError: If the executor is shut down.
            ValueError: If the chunk size or the window is less than 1.
        """
        if chunksize < 1:
            raise ValueError("chunksize must be >= 1.")
        calls = zip(*iterables, strict=False)

        def submit(arguments: tuple[Any, ...]) -> RemoteFuture[Any]:
            return self.submit(fn, *arguments)

        return results(Window(submit, calls, window, self._client.drop), timeout)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls.

        Args:
            wait: Whether to return only when all of them have ended. Without it, they go on.
            cancel_futures: Whether to cancel those that have not started.
        """
        with self._lock:
            self._is_shut = True
            futures = list(self._futures)
        if cancel_futures:
            self._client.drop(futures)
        if wait:
            _wait_for(futures)
            if self._is_own:
                self._client.close()


def _wait_for(futures: list[RemoteFuture[Any]]) -> None:
    wait(futures)
