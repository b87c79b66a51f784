"""`submit`, as both clients and their views have it: typed by the function that is submitted."""

from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar, overload

from pooldeck.client.future import RemoteFuture
from pooldeck.client.submit_options import Submissions, SubmitOptions, submit_options

P = ParamSpec("P")
R = TypeVar("R")


class Submitting:
    """What submits tasks, all with the same options."""

    def __init__(self, submissions: Submissions, options: SubmitOptions) -> None:
        self._submissions = submissions
        self._submit_options = options

    def _view(self, options: SubmitOptions) -> Any:
        raise NotImplementedError

    def _enqueue(self, future: RemoteFuture[Any]) -> None:
        raise NotImplementedError

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
        """Have a function run as a task on the server.

        It returns at once. What is submitted in quick succession travels together.

        Args:
            function: A function that the server loads too, best one with `@task`; or its name.
            args: Its arguments. A future among them, at any depth, stands for its result: the task
                then comes after that one.
            kwargs: Its arguments by name.

        Returns:
            A future, which gets the result, or raises what the task raised.

        Raises:
            TypeError: If an argument has no JSON, or the function no name for a server.
            ValueError: If an argument has a value that JSON does not have.
            RuntimeError: If the client is closed.
        """
        future = self._submissions.of(function, args, kwargs)
        self._enqueue(future)
        return future

    def options(self, **options: Any) -> Any:
        """Return a view of the client that submits with options; see `SubmitOptions`.

        Options:
            pool: The name of the pool.
            priority: From -100 to 100, higher first.
            timeout: Seconds from the start of the task to its end.
            retries: Reruns after an exception or a timeout.
            needs: What a machine must have free for it: `{"gpu": 1}`.
            delay: Seconds to wait before it may run.
            run_at: When it may run, with a time zone; not together with `delay`.
            tags: Labels to find it by.
            after: The tasks that it comes after: futures or ids.
            on_failure: What becomes of it when those fail: "stop", "skip" or "go_on".
            idempotency_key: The same key gives the same task.

        Raises:
            TypeError: If there is no such option, or it is of a wrong type.
        """
        return self._view(submit_options(self._submit_options, options))
