"""A call becomes an outcome, whatever the function does."""

import asyncio
import concurrent.futures
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from pooldeck import task
from pooldeck.context import CurrentTask
from pooldeck.outcome import Error, ErrorKind, Outcome
from pooldeck.protocol import Call, Limits
from pooldeck.worker.black_box import Region
from pooldeck.worker.calls import Caller
from pooldeck.worker.runs import Run, Runs, Slot
from tests.support.discovered import discover
from tests.support.unsent import unsent_log

EMPTY: dict[str, int] = {}
_action: Callable[[], Any] = object


@task
def act() -> Any:
    """Do what the test has prepared."""
    return _action()


@task
def echo(value: Any) -> Any:
    return value


@task
def on(day: date) -> str:
    return day.strftime("%d.%m.%Y")


@task
async def later(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "later"


@task
def one_by_one() -> Iterator[int]:
    """Be what a task cannot be: a generator."""
    yield 1


def call(
    function: str, args: bytes = b"[]", kwargs: bytes = b"{}", limits: Limits | None = None
) -> Outcome:
    caller = Caller(discover([__name__]), limits or Limits(), Runs(), sole=True)
    return caller.run(run_of(Call("task", 1, f"{__name__}.{function}", args, kwargs)))


def run_of(call: Call, *, began: float = 0, is_asked: bool = False) -> Run:
    """Return a run that began so many seconds ago."""
    started_at = time.monotonic() - began
    log = unsent_log(call)
    task = CurrentTask(
        log,
        id=call.task,
        attempt=1,
        function=call.function,
        pool="p",
        worker="w-1",
        deadline=None if call.timeout is None else started_at + call.timeout,
    )
    task.is_asked = is_asked
    return Run(call, task, log, Slot(0, Region(None, 0)), started_at)


def error_of(outcome: Outcome) -> Error:
    assert outcome.result is None
    assert outcome.error is not None
    return outcome.error


@pytest.fixture
def outcome_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """Run an action inside a task."""

    def run(action: Callable[[], Any], limits: Limits | None = None) -> Outcome:
        monkeypatch.setitem(globals(), "_action", action)
        return call("act", limits=limits)

    return run


@pytest.fixture
def late_outcome_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """Run an action inside a task that began 2.1 s ago."""

    def run(
        action: Callable[[], Any], timeout: float | None = 2, *, is_asked: bool = False
    ) -> Outcome:
        monkeypatch.setitem(globals(), "_action", action)
        request = Call("task", 1, f"{__name__}.act", b"[]", b"{}", timeout)
        caller = Caller(discover([__name__]), Limits(), Runs(), sole=True)
        return caller.run(run_of(request, began=2.1, is_asked=is_asked))

    return run


def raising(exception: BaseException) -> Callable[[], Any]:
    def action() -> None:
        raise exception

    return action


def test_an_exception_is_told_from_the_users_code_on(outcome_of: Callable[..., Outcome]) -> None:
    error = error_of(outcome_of(raising(ValueError("bad"))))
    assert (error.kind, error.type, error.message) == (ErrorKind.EXCEPTION, "ValueError", "bad")
    assert error.traceback is not None
    first, where, *_, last = error.traceback.splitlines()
    assert (first, last) == ("Traceback (most recent call last):", "ValueError: bad")
    assert __file__ in where
    assert error.cause is None


@pytest.mark.parametrize(
    "exception",
    [SystemExit("3"), KeyboardInterrupt("3"), GeneratorExit(3), asyncio.CancelledError(3)],
)
def test_what_ends_other_programs_is_an_exception_here(
    outcome_of: Callable[..., Outcome], exception: BaseException
) -> None:
    error = error_of(outcome_of(raising(exception)))
    assert (error.kind, error.message) == (ErrorKind.EXCEPTION, "3")
    assert error.type.endswith(type(exception).__name__)


@pytest.mark.parametrize("ends", [SystemExit(0), SystemExit(None), SystemExit(), SystemExit(False)])
def test_the_good_end_of_a_program_is_a_success_without_a_result(
    outcome_of: Callable[..., Outcome], ends: SystemExit
) -> None:
    outcome = outcome_of(raising(ends))
    assert (outcome.result, outcome.error) == (b"null", None)
    assert outcome.measurement is not None


class UsageExit(SystemExit):
    """The end of a program as frameworks of command lines have their own."""


class HostileExit(SystemExit):
    @property
    def code(self) -> int:  # type: ignore[override]  # that is the point
        raise ValueError


@pytest.mark.parametrize(
    ("ends", "message"),
    [
        (SystemExit(2), "exit code 2"),
        (SystemExit(-1), "exit code -1"),
        (SystemExit(True), "exit code 1"),
        (SystemExit("no input"), "no input"),
        (SystemExit(""), "exit code 1"),
        (SystemExit(["a", "list"]), "['a', 'list']"),
        (SystemExit("two", "words"), "('two', 'words')"),
        (UsageExit(64), "exit code 64"),
        (HostileExit(0), "(describing it raised ValueError)"),
    ],
)
def test_the_bad_end_of_a_program_fails_with_its_code_or_its_words(
    outcome_of: Callable[..., Outcome], ends: SystemExit, message: str
) -> None:
    error = error_of(outcome_of(raising(ends)))
    assert (error.kind, error.message) == (ErrorKind.EXCEPTION, message)


async def _leave(code: object) -> None:
    async def helper() -> None:
        sys.exit(code)  # type: ignore[arg-type]  # what it was called with

    await asyncio.gather(helper())


def test_an_async_function_ends_by_exit_as_any_other(outcome_of: Callable[..., Outcome]) -> None:
    assert outcome_of(lambda: _leave(0)).result == b"null"
    assert error_of(outcome_of(lambda: _leave(2))).message == "exit code 2"
    assert error_of(outcome_of(lambda: _leave("no input"))).message == "no input"


@pytest.mark.parametrize("ends", [lambda: exit(0), quit])  # noqa: PLR1722 - what scripts call
def test_scripts_that_end_by_what_the_shell_offers_are_known_as_well(
    outcome_of: Callable[..., Outcome], ends: Callable[[], Any]
) -> None:
    assert outcome_of(ends).result == b"null"


def test_a_result_that_is_no_json_is_a_bad_result(outcome_of: Callable[..., Outcome]) -> None:
    error = error_of(outcome_of(lambda: [object()]))
    assert (error.kind, error.type) == (ErrorKind.BAD_RESULT, "TypeError")
    assert error.message.startswith("the result contains object, which JSON does not have, at [0];")
    assert (error.returned or "").startswith("list of 1: [<object object at 0x")


def test_results_and_errors_are_bounded_by_the_limits(outcome_of: Callable[..., Outcome]) -> None:
    limits = Limits(result_bytes=10, depth=2, message_bytes=5, traceback_bytes=300)
    assert outcome_of(lambda: [[1]], limits).result == b"[[1]]"
    for action in (lambda: "x" * 9, lambda: [[[1]]]):
        assert error_of(outcome_of(action, limits)).kind is ErrorKind.BAD_RESULT
    error = error_of(outcome_of(raising(ValueError("too long a text")), limits))
    assert error.message == "too l ... (cut)"


def test_async_functions_run_to_their_end() -> None:
    outcome = call("later", b"[0.001]")
    assert outcome.result == b'"later"'
    assert outcome.measurement is not None
    assert outcome.measurement.run > 0.001


def test_large_integers_come_back_exactly() -> None:
    for number in (2**63, -(2**64), 10**4000):
        assert call("echo", b"[%d]" % number).result == b"%d" % number


def test_richer_arguments_are_converted() -> None:
    assert call("on", b'["2026-03-01"]').result == b'"01.03.2026"'
    error = error_of(call("on", kwargs=b'{"day": "soon"}'))
    assert (error.kind, error.type) == (ErrorKind.BAD_ARGUMENTS, "ValidationError")
    assert error.message.startswith("day: ")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (b"[]", "missing 1 required positional argument: 'value'"),
        (b"[1, 2]", "takes 1 positional argument but 2 were given"),
        (b"[1", "the arguments are no valid JSON"),
        (b'["\xff"]', "the arguments are no valid JSON"),
        (b"[" + b"9" * 5000 + b"]", "the arguments are no valid JSON"),
        (b"[" * 100_000 + b"]" * 100_000, "the arguments are no valid JSON"),
    ],
)
def test_arguments_that_do_not_fit_are_not_the_functions_error(args: bytes, message: str) -> None:
    error = error_of(call("echo", args))
    assert error.kind is ErrorKind.BAD_ARGUMENTS
    assert message in error.message


def test_a_type_error_inside_the_function_is_its_own(outcome_of: Callable[..., Outcome]) -> None:
    error = error_of(outcome_of(lambda: echo()))  # type: ignore[call-arg]  # noqa: PLW0108 - on purpose
    assert (error.kind, error.type) == (ErrorKind.EXCEPTION, "TypeError")


def test_what_cannot_be_called_is_not_run() -> None:
    error = error_of(call("one_by_one"))
    assert error.kind is ErrorKind.BAD_ARGUMENTS
    assert "it is a generator" in error.message


def test_a_run_is_measured_and_a_refusal_is_not(outcome_of: Callable[..., Outcome]) -> None:
    measurement = outcome_of(lambda: sum(range(1_000_000))).measurement
    assert measurement is not None
    assert measurement.run > measurement.encode
    assert measurement.cpu > measurement.decode
    if sys.platform == "linux":
        assert measurement.voluntary_switches is not None
    assert call("absent").measurement is None


@pytest.mark.parametrize("kind", [asyncio.CancelledError, concurrent.futures.CancelledError])
def test_a_function_that_was_asked_may_end_as_cancelled(
    late_outcome_of: Callable[..., Outcome], kind: type[BaseException]
) -> None:
    for timeout in (None, 2, 60):
        outcome = late_outcome_of(raising(kind()), timeout, is_asked=True)
        assert (outcome.cancelled, outcome.error, outcome.result) == (True, None, None)
        assert outcome.measurement is not None
    assert error_of(late_outcome_of(raising(kind()), None)).kind is ErrorKind.EXCEPTION


def test_other_ends_of_a_function_that_was_asked_are_what_they_are(
    late_outcome_of: Callable[..., Outcome],
) -> None:
    assert late_outcome_of(lambda: 1, None, is_asked=True).result == b"1"
    outcome = late_outcome_of(raising(ValueError("bad")), None, is_asked=True)
    assert error_of(outcome).type == "ValueError"


def test_a_result_after_the_deadline_is_a_timeout(late_outcome_of: Callable[..., Outcome]) -> None:
    error = error_of(late_outcome_of(lambda: 1))
    assert (error.kind, error.type, error.cause) == (ErrorKind.TIMEOUT, "TimeoutError", None)
    assert error.message.startswith("it ended 2.1")
    assert error.message.endswith("s after its start; its timeout is 2 s")
    assert late_outcome_of(lambda: 1, 60).result == b"1"


@pytest.mark.parametrize("raised", [ValueError("bad"), asyncio.CancelledError("bad")])
def test_an_exception_after_the_deadline_is_the_cause_of_a_timeout(
    late_outcome_of: Callable[..., Outcome], raised: BaseException
) -> None:
    error = error_of(late_outcome_of(raising(raised)))
    assert error.kind is ErrorKind.TIMEOUT
    assert error.cause is not None
    assert (error.cause.kind, error.cause.message) == (ErrorKind.EXCEPTION, "bad")
    assert error.cause.traceback is not None
