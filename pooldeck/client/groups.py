"""`Group`: futures that are waited for, and cancelled, together."""

import time
from collections.abc import Callable, Coroutine
from concurrent.futures import FIRST_EXCEPTION, wait
from concurrent.futures import TimeoutError as FutureTimeoutError
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, overload

from pooldeck.client.future import RemoteFuture

if TYPE_CHECKING:
    from pooldeck.client.client import Client
    from pooldeck.client.submitting import Submitting

P = ParamSpec("P")
R = TypeVar("R")


class Group:
    """Tasks that belong together.

    As a context manager, it waits for all of them at its end; if an exception leaves it, or one of
    the tasks fails, what has not started is cancelled.

    Attributes:
        futures: In the order in which they were submitted.
    """

    def __init__(self, client: "Client", view: "Submitting | None" = None) -> None:
        self.futures: list[RemoteFuture[Any]] = []
        self._client = client
        self._view = view or client

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.results()
        else:
            self.cancel()

    @overload
    def submit(
        self,
        function: Callable[P, Coroutine[Any, Any, R]],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> RemoteFuture[R]: ...
    @overload
    def submit(
        self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> RemoteFuture[R]: ...
    @overload
    def submit(self, function: str, /, *args: Any, **kwargs: Any) -> RemoteFuture[Any]: ...
    def submit(
        self, function: str | Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> RemoteFuture[Any]:
        """Submit a task of this group; as `Client.submit`."""
        future: RemoteFuture[Any] = self._view.submit(function, *args, **kwargs)
        self.futures.append(future)
        return future

    def options(self, **options: Any) -> "Group":
        """Return a view of this group whose tasks have options; as `Client.options`."""
        view = Group(self._client, self._view.options(**options))
        view.futures = self.futures
        return view

    def results(self, timeout: float | None = None) -> list[Any]:
        """Return the results, in order.

        When a task fails, what has not started is cancelled, and what it raised is raised.

        Raises:
            TimeoutError: If they are not there within so many seconds; nothing is cancelled then.
        """
        until = None if timeout is None else time.monotonic() + timeout
        ended, waiting = wait(self.futures, timeout, FIRST_EXCEPTION)
        for future in self.futures:
            if future in ended and (future.cancelled() or future.exception() is not None):
                self.cancel()
                return [future.result()]
        if waiting and until is not None and time.monotonic() >= until:
            raise FutureTimeoutError
        return [future.result() for future in self.futures]

    def cancel(self) -> None:
        """Cancel what has not started; the others are asked to end themselves."""
        self._client.drop([future for future in self.futures if not future.done()])
