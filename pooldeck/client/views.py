"""What `Client` and its views have in common: `submit` and `map`, with options or without."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from pooldeck.client.future import RemoteFuture
from pooldeck.client.mapping import WINDOW, Window, results
from pooldeck.client.submit_options import Submissions, SubmitOptions
from pooldeck.client.submitting import Submitting

if TYPE_CHECKING:
    from pooldeck.client.client import Client

T = TypeVar("T")


class SyncSubmitting(Submitting):
    """What `Client` and its views have in common."""

    def _home(self) -> "Client":
        raise NotImplementedError

    def _enqueue(self, future: RemoteFuture[Any]) -> None:
        self._home().engine.submit(future)

    def _view(self, options: SubmitOptions) -> "ClientView":
        return ClientView(self._home(), options)

    def map(
        self,
        function: str | Callable[..., T],
        /,
        *iterables: Iterable[Any],
        timeout: float | None = None,
        window: int = WINDOW,
    ) -> Iterator[T]:
        """Call a function with each item of the iterables; return the results in order.

        The iterables are taken from as results are: a `map` over millions of items needs no more
        room than one over thousands. When it is left early, what has not started is cancelled.

        Args:
            function: As for `submit`.
            iterables: The arguments; the shortest one counts.
            timeout: For how many seconds the results may be waited for, from now.
            window: How many calls are on their way at a time.

        Raises:
            TimeoutError: While iterating, if a result was not there in time.
            ValueError: If the window is less than 1.
        """
        home = self._home()

        def call(arguments: tuple[Any, ...]) -> RemoteFuture[Any]:
            future = self._submissions.of(function, arguments, {})
            home.engine.submit(future)
            return future

        calls = zip(*iterables, strict=False)
        return results(Window(call, calls, window, home.drop), timeout)


class ClientView(SyncSubmitting):
    """A client as seen by submissions with options."""

    def __init__(self, client: "Client", options: SubmitOptions) -> None:
        super().__init__(Submissions(client, options), options)
        self._client = client

    def _home(self) -> "Client":
        return self._client
