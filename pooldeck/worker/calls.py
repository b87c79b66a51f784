"""The caller, which turns a call into an outcome: resolve, decode, convert, run, measure, encode.

Whatever the function does, short of ending the process, `Caller.run` returns plain data.
"""

import sys
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import CancelledError
from time import monotonic, perf_counter
from types import CoroutineType
from typing import Any, Final

import msgspec

from pooldeck.outcome import Error, ErrorKind, Outcome
from pooldeck.protocol import Call, Limits
from pooldeck.quantities import elapsed
from pooldeck.text import bounded
from pooldeck.worker import exits, failures
from pooldeck.worker.functions.conversion import BadArgument
from pooldeck.worker.functions.discovery import Function
from pooldeck.worker.leftovers.timers import Timers
from pooldeck.worker.measure.memory import PeakMemory
from pooldeck.worker.measure.run import RunReadings
from pooldeck.worker.measure.turns import Turns
from pooldeck.worker.runs import Run, Runs
from pooldeck.worker.values import results, returned
from pooldeck.worker.values.bad_result import BadResult

_NOTHING: Final = b"null"  # the result of `sys.exit()`, whatever the annotation promises
_decode = msgspec.json.Decoder().decode


class Caller:
    """Runs calls of registered functions; `sole` if they have the process to themselves.

    Then `timers` are ended with each of them; else they may be another's.
    """

    def __init__(
        self,
        functions: Mapping[str, Function],
        limits: Limits,
        runs: Runs,
        *,
        sole: bool,
        timers: Timers | None = None,
    ) -> None:
        self._functions = functions
        self._limits = limits
        self._runs = runs
        self._memory = PeakMemory() if sole else None
        self._turns = None if sole else {name: Turns() for name in functions}
        self._timers = timers if sole else None

    def run(self, run: Run) -> Outcome:
        call = run.call
        begun = perf_counter()
        try:
            function = self._resolve(call.function)
            args, kwargs = _arguments(call, function)
        except BadArgument as error:
            return self._refused(ErrorKind.BAD_ARGUMENTS, error)
        decode = elapsed(begun, perf_counter())

        turns = None if self._turns is None else self._turns[call.function]
        readings = RunReadings(memory=self._memory, turns=turns, is_quick=run.is_quick)
        value, unusual = self._perform(function.call, args, kwargs, readings, run)

        begun = perf_counter()
        outcome = _late(run, unusual) or unusual or self._encoded(value, function, run)
        measurement = readings.measurement(
            decode=decode,
            encode=elapsed(begun, perf_counter()),
            arguments_bytes=len(call.args) + len(call.kwargs),
            result_bytes=len(outcome.result or b""),
            beside=self._runs.beside(run) if self._memory is None else 0,
            throttled=run.task.throttles,
            throttled_seconds=run.task.throttled_seconds,
        )
        return Outcome(outcome.result, outcome.error, measurement, outcome.cancelled)

    def _resolve(self, name: str) -> Function:
        function = self._functions.get(name)
        if function is None:
            raise BadArgument(
                "LookupError", f"the function {name} is not registered in this worker"
            )
        if function.spec.problem is not None:
            raise BadArgument("TypeError", f"{name} cannot be called: {function.spec.problem}")
        return function

    def _perform(
        self,
        function: Callable[..., Any],
        args: list[Any],
        kwargs: dict[str, Any],
        readings: RunReadings,
        run: Run,
    ) -> tuple[Any, Outcome | None]:
        """Return the function's value, or else what its exception amounts to.

        As with a program, `sys.exit()` without an error is a good end.
        """
        run.is_inside = True
        readings.start()
        try:
            value = function(*args, **kwargs)
            if type(value) is CoroutineType:
                run.coroutine = value
                value = _complete(value)
            self._end_timers()
        except BaseException as exception:  # noqa: BLE001 - SystemExit and the like are outcomes too
            self._end_timers()
            exits.end_forked(exception)
            readings.stop()
            run.is_inside = False
            is_good = failures.is_good_exit(exception)
            return None, Outcome(_NOTHING) if is_good else self._failed(exception, run)
        exits.end_forked()
        readings.stop()
        run.is_inside = False
        return value, None

    def _end_timers(self) -> None:
        if self._timers is not None:
            self._timers.end()

    def _failed(self, exception: BaseException, run: Run) -> Outcome:
        if run.task.is_asked and _is_cancellation(exception):
            return Outcome(cancelled=True)
        mask = self._runs.secrets.mask
        return Outcome(error=failures.describe(exception, self._limits, _kind(exception), mask))

    def _encoded(self, value: Any, function: Function, run: Run) -> Outcome:
        def say(words: str) -> None:
            run.log.log("WARNING", "pooldeck", words)

        is_secret = bool(function.spec.options.sensitive)  # it may be made of what is secret
        if function.returns is not None and (words := function.returns.complaint(value)):
            say(words)
        limits = self._limits
        try:
            encoded = results.encode(
                value, limits.result_bytes, limits.depth, say, is_secret=is_secret
            )
        except BadResult as error:
            shown = None if is_secret else returned.described(value)
            return self._refused(ErrorKind.BAD_RESULT, error, shown)
        return Outcome(encoded)

    def _refused(
        self, kind: ErrorKind, error: failures.Misfit, returned: str | None = None
    ) -> Outcome:
        mask, message = self._runs.secrets.mask, str(error)
        if mask is not None:
            message, returned = mask(message), returned and mask(returned)
        message = bounded(message, self._limits.message_bytes)
        return Outcome(error=Error(kind, error.type, message, returned=returned))


def _arguments(call: Call, function: Function) -> tuple[list[Any], dict[str, Any]]:
    try:
        args, kwargs = _decode(call.args), _decode(call.kwargs)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadArgument(
            type(error).__name__, f"the arguments are no valid JSON: {error}"
        ) from None
    if function.convert is None:
        return args, kwargs
    return function.convert(args, kwargs)


def _kind(exception: BaseException) -> ErrorKind:
    """Distinguish a call that did not fit the signature from an error inside the function."""
    is_misfit = type(exception) is TypeError and not failures.in_user_code(exception.__traceback__)
    return ErrorKind.BAD_ARGUMENTS if is_misfit else ErrorKind.EXCEPTION


def _is_cancellation(exception: BaseException) -> bool:
    # Whoever raises asyncio's has imported it; the import is too slow for those who have not.
    asyncios = getattr(sys.modules.get("asyncio.exceptions"), "CancelledError", CancelledError)
    return isinstance(exception, (CancelledError, asyncios))


def _late(run: Run, unusual: Outcome | None) -> Outcome | None:
    """Return a timeout if a call ended by itself after its deadline, unless it was cancelled."""
    deadline = run.task.deadline
    if deadline is None or (now := monotonic()) < deadline or (unusual and unusual.cancelled):
        return None
    message = (
        f"it ended {now - run.started_at:.2f} s after its start; "
        f"its timeout is {run.call.timeout:g} s"
    )
    cause = unusual.error if unusual else None
    return Outcome(error=Error(ErrorKind.TIMEOUT, "TimeoutError", message, cause=cause))


def _complete(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end on an event loop of its own."""
    import asyncio  # noqa: PLC0415 - takes as long as the rest of a worker's start; few need it

    with asyncio.Runner() as runner:
        return runner.run(coroutine)
