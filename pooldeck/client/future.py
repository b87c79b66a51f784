"""`RemoteFuture`: a `concurrent.futures.Future` whose call is a task on a server.

    pending   put into the queue of the client; `cancel` takes it back without a word
    sent      on its way: whether the server has it is not known
    stored    acknowledged: `task_id` is known, and what happens from here is the server's

The state of the future itself stays "pending" until it ends: whether the task runs is the server's
to say, when `running` asks it.
"""

import asyncio
import os
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import CancelledError, Future, InvalidStateError
from concurrent.futures import TimeoutError as FutureTimeoutError
from concurrent.futures._base import CANCELLED_AND_NOTIFIED, PENDING
from contextlib import suppress
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Asker(Protocol):
    """What a future asks about its task: the client that it is from."""

    def check_may_wait(self) -> None:
        """Raise an error where waiting here would keep what is waited for from happening."""

    def cancel_task(self, future: "RemoteFuture[Any]", *, kill: bool) -> str | None:
        """Ask for an end; return the outcome, None where it is not waited for."""

    def task_of(self, future: "RemoteFuture[Any]") -> Any:
        """Return the record of a task."""

    def call_back(self, call: Callable[[], None]) -> None:
        """Have what waits for an end called, where it may take its time."""


class RemoteFuture(Future[T]):
    """A call that runs as a task on a server.

    Attributes:
        task_id: The id of the task; None until it is stored.
        function: The name of the function.
    """

    def __init__(self, asker: Asker, function: str, body: bytes, needs: Any = ()) -> None:
        super().__init__()
        self.task_id: str | None = None
        self.function = function
        self.body = body  # of the submission; empty once it is stored
        self.needs: tuple[RemoteFuture[Any], ...] = needs
        self._asker = asker
        self._placeholder: str | None = None
        self._is_sent = self._is_withdrawn = False
        self._on_stored: list[Callable[[], None]] | None = None

    # What users ask for.

    @property
    def reference(self) -> str:
        """Return what stands for the id of the task in a body that is not sent yet."""
        if self.task_id is not None:
            return self.task_id
        if self._placeholder is None:
            self._placeholder = f"not-stored-{os.urandom(12).hex()}"
        return self._placeholder

    @property
    def argument(self) -> Any:
        """Return itself, for type checkers: as an argument it stands for the result."""
        return self

    def stored(self, timeout: float | None = None) -> str:
        """Wait until the server has the task; return the task's id.

        Args:
            timeout: For how many seconds to wait; None waits for as long as the client tries.

        Raises:
            Refused: If the server refuses it.
            NotReachable: If no server answers.
            CancelledError: If it was cancelled before it was sent.
            TimeoutError: If the time is over.
        """
        if self.task_id is None and not self.done():
            self._wait_until_stored(timeout)
        if self.task_id is not None:
            return self.task_id
        if self.cancelled():
            raise CancelledError
        failure = self.exception(0)
        raise failure or FutureTimeoutError

    def result(self, timeout: float | None = None) -> T:
        """Return the result of the task, as `concurrent.futures.Future` does."""
        if not self.done():
            self._asker.check_may_wait()
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Return what the task raised, as `concurrent.futures.Future` does."""
        if not self.done():
            self._asker.check_may_wait()
        return super().exception(timeout)

    def cancel(self) -> bool:
        """Cancel the task: take it back if it was not sent, else ask the server.

        A task that runs already is only asked to end itself.

        Returns:
            True if it will not run.
        """
        if self.take_back():
            return True
        if self.done() or self._asker.cancel_task(self, kill=False) != "cancelled":
            return self.cancelled()
        self.end_cancelled()
        return True

    def kill(self) -> bool:
        """End the task, also if it runs: in a process, that is killed; a thread is abandoned.

        Returns:
            Whether there was something to end.
        """
        if self.take_back():
            return True
        return not self.done() and self._asker.cancel_task(self, kill=True) != "already_ended"

    def running(self) -> bool:
        """Tell whether the task runs now; this asks the server."""
        if self.done() or self.task_id is None:
            return False
        return bool(self.task()["future"] == "RUNNING")

    def task(self) -> Any:
        """Return the record of the task, as the API has it: a dictionary."""
        return self._asker.task_of(self)

    def __await__(self) -> Generator[Any, None, T]:
        return asyncio.wrap_future(self).__await__()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.function}, task {self.task_id}, {self._state}>"

    # What the client does with it.

    def take_back(self) -> bool:
        """Cancel it, if it was not sent; return whether that was so."""
        with self._condition:
            if self._is_sent or self._is_withdrawn or self._state != PENDING:
                return False
            self._is_withdrawn = True
        self.end_cancelled()
        return True

    def send(self) -> bool:
        """Note that it is about to be sent; return False if it was taken back."""
        with self._condition:
            self._is_sent = not self._is_withdrawn
            return self._is_sent and not self.done()

    def has_id(self, task_id: str) -> None:
        """Note that the task is stored."""
        self.task_id, self.body, self.needs = task_id, b"", ()
        if self._on_stored is not None:
            self._tell_stored()

    def when_stored(self, call: Callable[[], None]) -> None:
        """Have something called when it is stored, or has failed before that."""
        with (
            self._condition
        ):  # first this, then the look: who stores it does it the other way round
            self._on_stored = [*(self._on_stored or ()), call]
        if self.task_id is not None or self.done():
            self._tell_stored()

    def put_ids(self) -> None:
        """Put the ids of what it comes after in the place of what stood for them, all stored."""
        for need in self.needs:
            if need._placeholder is not None and need.task_id is not None:  # noqa: SLF001 - its own
                before, after = need._placeholder.encode(), need.task_id.encode()  # noqa: SLF001
                self.body = self.body.replace(before, after)

    def end_with(self, result: T) -> None:
        """Set the result, unless it has ended."""
        with suppress(InvalidStateError):
            self.set_result(result)

    def end_failed(self, failure: BaseException) -> None:
        """Set what it raises, unless it has ended."""
        with suppress(InvalidStateError):
            self.set_exception(failure)
        if self._on_stored is not None:
            self._tell_stored()

    def end_cancelled(self) -> None:
        """Make it a cancelled one, whatever it was, unless it has ended."""
        with self._condition:
            if self.done():
                return
            self._state = CANCELLED_AND_NOTIFIED
            for waiter in self._waiters:
                waiter.add_cancelled(self)
            self._condition.notify_all()
        self._invoke_callbacks()
        if self._on_stored is not None:
            self._tell_stored()

    def renew_lock(self) -> None:
        """Take a lock of its own, in a process that was forked: the other may be held for ever."""
        self._condition = type(self._condition)()

    def _wait_until_stored(self, timeout: float | None) -> None:
        if not self.done():
            self._asker.check_may_wait()
        self.when_stored(self._notify)
        with self._condition:
            self._condition.wait_for(lambda: self.task_id is not None or self.done(), timeout)

    def _notify(self) -> None:
        with self._condition:
            self._condition.notify_all()

    def _tell_stored(self) -> None:
        with self._condition:
            calls, self._on_stored = self._on_stored or (), None
        for call in calls:
            call()

    def _invoke_callbacks(self) -> None:
        if self._done_callbacks:  # type: ignore[attr-defined]  # the stubs leave both out
            self._asker.call_back(super()._invoke_callbacks)  # type: ignore[misc]


def check_futures(given: Iterable[object]) -> None:
    """Raise a `TypeError` if there is a list in the place of a future."""
    for each in given:
        if isinstance(each, list | tuple | set | Generator):
            raise TypeError(f"gather takes futures, not a {type(each).__name__}: gather(*futures)")
