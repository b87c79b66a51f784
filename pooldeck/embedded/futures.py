"""Turns what became of a call into the result or the exception of its future."""

from concurrent.futures import CancelledError, Future
from concurrent.futures.process import (
    BrokenProcessPool,
    _RemoteTraceback,  # programs that look for the remote traceback know it by this class
)
from multiprocessing.reduction import ForkingPickler
from typing import Any

from pooldeck.embedded.pickling import Raised, Unreadable, Value, opened
from pooldeck.outcome import Error, ErrorKind, Outcome


class TransferError(BrokenProcessPool):
    """A call or what became of it could not be unpickled; only this call failed.

    It is a `BrokenProcessPool` because that is what the standard library raises for it, there for
    every call of the pool.
    """


def settle(future: "Future[Any]", outcome: Outcome) -> None:
    try:
        result = _result(outcome)
    except BaseException as exception:  # noqa: BLE001 - SystemExit is what a call may have raised
        exception.__traceback__ = None  # ours tells the caller nothing
        future.set_exception(exception)
    else:
        future.set_result(result)


def _result(outcome: Outcome) -> Any:
    if outcome.result is not None:
        return _opened(outcome.result)
    if outcome.error is None:
        raise CancelledError("the call was killed on request")
    raise _failure(outcome.error)


def _opened(data: bytes) -> Any:
    match opened(data):
        case Value(pickled):
            return _unpickled(pickled, "its result", None)
        case Raised(pickled, traceback):
            exception = _unpickled(pickled, "the exception that it raised", traceback)
            raise exception from _remote(traceback)
        case Unreadable(message, traceback):
            raise TransferError(
                f"The call could not be unpickled in the worker: {message}"
            ) from _remote(traceback)


def _unpickled(pickled: bytes, what: str, traceback: str | None) -> Any:
    try:
        return ForkingPickler.loads(pickled)
    except BaseException as error:  # noqa: BLE001 - unpickling is the user's code
        message = f"The call ended, but {what} could not be unpickled: {error!r}"
        raise TransferError(message) from (error if traceback is None else _remote(traceback))


def _failure(error: Error) -> Exception:
    """Return the exception for what the pool itself has to say of a call."""
    message = f"{error.message[:1].upper()}{error.message[1:]}."
    if error.kind is ErrorKind.TIMEOUT:
        return TimeoutError(message)
    failure = BrokenProcessPool(message)
    if error.traceback:
        failure.__cause__ = _remote(error.traceback)
    return failure


def _remote(traceback: str) -> _RemoteTraceback:
    return _RemoteTraceback(f'\n"""\n{traceback}"""')  # type: ignore[arg-type]  # it takes text
