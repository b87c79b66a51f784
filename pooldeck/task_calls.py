"""`add.submit(2, 3)` and the like: what a function with `@task` can do beside being called.

Nothing of the client is imported before the first of these calls: a worker needs none of it.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pooldeck.client.future import RemoteFuture


def attach(function: Any) -> None:
    """Give a function its `submit`, `delay`, `map` and `options`; not what it has of its own."""
    if not inspect.isfunction(function):
        return
    for name, call in _CALLS.items():
        if isinstance(vars(function).get(name), AttachedCall | None):  # of another, by `wraps`
            setattr(function, name, AttachedCall(call, function))  # type: ignore[arg-type]  # it may be called


class AttachedCall(partial[Any]):
    """A call that knows the function it belongs to."""


class TaskCalls:
    """The same with options: what `add.options(pool="cpu")` returns.

    Args:
        function: The function.
        options: As for `Client.options`.
    """

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        self._function = function
        self._options = options

    def submit(self, *args: Any, **kwargs: Any) -> "RemoteFuture[Any]":
        """Have the function run as a task; return its future at once."""
        future: RemoteFuture[Any] = self._submitting().submit(self._function, *args, **kwargs)
        return future

    def delay(self, *args: Any, **kwargs: Any) -> "RemoteFuture[Any]":
        """As `submit`, but return when the server has the task."""
        future = self.submit(*args, **kwargs)
        future.stored()
        return future

    def map(self, *iterables: Iterable[Any], **how: Any) -> Iterator[Any]:
        """Call the function with each item of the iterables; as `Client.map`."""
        results: Iterator[Any] = self._submitting().map(self._function, *iterables, **how)
        return results

    def options(self, **options: Any) -> "TaskCalls":
        """Return the same with more options."""
        return TaskCalls(self._function, self._options | options)

    def _submitting(self) -> Any:
        from pooldeck.client.default import default_client  # noqa: PLC0415 - that is the point

        client = default_client()
        return client.options(**self._options) if self._options else client


def _submit(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "RemoteFuture[Any]":
    """Have the function run as a task on the server of `Client()`; return its future at once."""
    return TaskCalls(function, {}).submit(*args, **kwargs)


def _delay(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "RemoteFuture[Any]":
    """As `submit`, but return when the server has the task; raise what refuses it."""
    return TaskCalls(function, {}).delay(*args, **kwargs)


def _map(function: Callable[..., Any], /, *iterables: Iterable[Any], **how: Any) -> Iterator[Any]:
    """Call the function with each item of the iterables as tasks; as `Client.map`."""
    return TaskCalls(function, {}).map(*iterables, **how)


def _options(function: Callable[..., Any], /, **options: Any) -> TaskCalls:
    """Return the same calls with options; as `Client.options`."""
    return TaskCalls(function, options)


_CALLS: Final = {"submit": _submit, "delay": _delay, "map": _map, "options": _options}
