"""One attempt of a task in this process: decode, convert, call, encode, as a worker does it."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from threading import Thread
from types import CoroutineType
from typing import Any

import msgspec
from msgspec import Struct

from pooldeck.context import CurrentTask, call_as
from pooldeck.outcome import Error, ErrorKind
from pooldeck.protocol import Limits
from pooldeck.worker import failures
from pooldeck.worker.functions.conversion import BadArgument
from pooldeck.worker.functions.discovery import Function
from pooldeck.worker.values import results
from pooldeck.worker.values.bad_result import BadResult

_decode = msgspec.json.Decoder().decode


class InlineOutcome(Struct, frozen=True):
    """How an attempt ended: with a result as JSON, with an error, or cancelled."""

    result: bytes | None = None
    error: Error | None = None


def attempt(
    function: Function, task: CurrentTask, args: bytes, kwargs: bytes, limits: Limits
) -> InlineOutcome:
    """Run a function with arguments given as JSON; whatever it raises becomes data.

    What is no `Exception`, as `KeyboardInterrupt` and pytest's own failures, goes through: it is
    meant for who runs the tests.
    """
    try:
        given = _converted(function, args, kwargs)
        value = call_as(task, _complete, function.call, *given)
        return InlineOutcome(results.encode(value, limits.result_bytes, limits.depth))
    except BadArgument as error:
        return InlineOutcome(error=Error(ErrorKind.BAD_ARGUMENTS, error.type, str(error)))
    except BadResult as error:
        return InlineOutcome(error=Error(ErrorKind.BAD_RESULT, error.type, str(error)))
    except (Exception, CancelledError, SystemExit) as error:  # noqa: BLE001 - it is the user's code
        if failures.is_good_exit(error):
            return InlineOutcome(b"null")
        return InlineOutcome(error=failures.describe(error, limits))
    finally:
        task.end()


def _converted(function: Function, args: bytes, kwargs: bytes) -> tuple[list[Any], dict[str, Any]]:
    decoded = _decode(args), _decode(kwargs)
    return decoded if function.convert is None else function.convert(*decoded)


def _complete(call: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Call, and run a coroutine to its end on an event loop of its own."""
    value = call(*args, **kwargs)
    if type(value) is not CoroutineType:
        return value
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(value)
    return _elsewhere(value)


def _elsewhere(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine in another thread: this one has a loop that runs, and is blocked for it."""
    ended: list[Any] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            ended.append(asyncio.run(coroutine))
        except BaseException as error:  # noqa: BLE001 - it is raised below
            failed.append(error)

    thread = Thread(target=run, name="pooldeck-inline")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return ended[0]
