"""What `@task` makes of a function, as type checkers see it; at run time it stays the function."""

from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Any, ParamSpec, Protocol, TypeVar, overload

from pooldeck.client.future import RemoteFuture

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")


class TaskSubmits(Protocol[P, R]):
    """What submits one function: its arguments are checked as those of a call.

    Of an `async def` function, the futures give what awaiting it gives.
    """

    @overload
    def submit(
        self: "TaskSubmits[P, Coroutine[Any, Any, S]]", *args: P.args, **kwargs: P.kwargs
    ) -> RemoteFuture[S]: ...
    @overload
    def submit(self, *args: P.args, **kwargs: P.kwargs) -> RemoteFuture[R]: ...
    def submit(self, *args: Any, **kwargs: Any) -> RemoteFuture[Any]:
        """Have it run as a task; return its future at once."""

    @overload
    def delay(
        self: "TaskSubmits[P, Coroutine[Any, Any, S]]", *args: P.args, **kwargs: P.kwargs
    ) -> RemoteFuture[S]: ...
    @overload
    def delay(self, *args: P.args, **kwargs: P.kwargs) -> RemoteFuture[R]: ...
    def delay(self, *args: Any, **kwargs: Any) -> RemoteFuture[Any]:
        """As `submit`, but return when the server has the task."""

    @overload
    def map(
        self: "TaskSubmits[P, Coroutine[Any, Any, S]]",
        *iterables: Iterable[Any],
        timeout: float | None = None,
        window: int = ...,
    ) -> Iterator[S]: ...
    @overload
    def map(
        self, *iterables: Iterable[Any], timeout: float | None = None, window: int = ...
    ) -> Iterator[R]: ...
    def map(self, *iterables: Iterable[Any], **how: Any) -> Iterator[Any]:
        """Call it with each item of the iterables as tasks; return the results in order."""

    def options(self, **options: Any) -> "TaskSubmits[P, R]":
        """Return the same with options; as `Client.options`."""


class TaskFunction(TaskSubmits[P, R], Protocol[P, R]):
    """A function with `@task`: calling it stays an ordinary call."""

    __name__: str
    __qualname__: str

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call it here."""


class TaskDecorator(Protocol):
    """What `@task(...)` with options returns."""

    def __call__(self, function: Callable[P, R], /) -> TaskFunction[P, R]:
        """Register a function."""
