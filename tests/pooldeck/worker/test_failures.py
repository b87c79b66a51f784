"""Exceptions as text: complete, bounded, and safe against hostile classes."""

from collections.abc import Callable
from typing import Any

from pooldeck.outcome import Error, ErrorKind
from pooldeck.protocol import Limits
from pooldeck.worker.failures import describe

EMPTY: dict[str, int] = {}
LIMITS = Limits()


def described(action: Callable[[], Any], **limits: int) -> Error:
    """Return what becomes of the exception that `action` raises."""
    try:
        action()
    except BaseException as exception:  # noqa: BLE001 - as the worker does
        return describe(exception, Limits(**limits))
    raise AssertionError("it did not raise")


def test_a_cause_is_named_and_told() -> None:
    def action() -> None:
        try:
            EMPTY["k"]
        except KeyError as error:
            raise OSError(2, "gone") from error

    error = described(action)
    assert error.type == "FileNotFoundError"
    assert error.cause == Error(ErrorKind.EXCEPTION, "KeyError", "'k'")
    assert error.traceback is not None
    assert "The above exception was the direct cause" in error.traceback


def test_a_context_counts_unless_it_is_suppressed() -> None:
    def action() -> None:
        try:
            EMPTY["k"]
        except KeyError:
            raise ValueError("v")  # noqa: B904 - that is the point

    def suppressed() -> None:
        try:
            EMPTY["k"]
        except KeyError:
            raise ValueError("v") from None

    cause = described(action).cause
    assert cause is not None
    assert cause.type == "KeyError"
    assert described(suppressed).cause is None


def test_a_chain_of_causes_is_cut_after_ten() -> None:
    def chain(length: int) -> BaseException:
        exception = ValueError(str(length))
        if length:
            exception.__cause__ = chain(length - 1)
        return exception

    error: Error | None = describe(chain(50), LIMITS)
    messages = []
    while error is not None:
        messages.append(error.message)
        error = error.cause
    assert messages == [str(n) for n in range(50, 39, -1)]


def test_causes_that_go_round_in_a_circle_end() -> None:
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    cause = describe(one, LIMITS).cause
    assert cause is not None
    assert (cause.message, cause.cause) == ("two", None)


class RaisingText(Exception):  # noqa: N818 - its name does not matter
    def __str__(self) -> str:
        raise SystemExit


class NoText(Exception):  # noqa: N818 - its name does not matter
    def __str__(self) -> str:
        return 3  # type: ignore[return-value]  # noqa: PLE0307 - that is the point


class HugeText(Exception):  # noqa: N818 - its name does not matter
    def __str__(self) -> str:
        return "é" * 20_000_000


class BrokenCause(Exception):  # noqa: N818 - its name does not matter
    @property
    def __cause__(self) -> BaseException | None:  # type: ignore[override]  # that is the point
        raise SystemExit


def test_hostile_exceptions_become_bounded_text() -> None:
    message = describe(RaisingText(), LIMITS).message
    assert message == "(its text cannot be shown: __str__ raised SystemExit)"
    message = describe(NoText(), LIMITS).message
    assert message == "(its text cannot be shown: __str__ raised TypeError)"
    message = describe(BrokenCause("x"), LIMITS).message
    assert message == "(describing it raised SystemExit)"
    message = describe(ValueError("\ud83d"), LIMITS).message
    assert message == "\\ud83d"


def test_a_huge_exception_is_cut() -> None:
    error = describe(HugeText(), Limits(message_bytes=1001, traceback_bytes=3000))
    assert error.message == "é" * 500 + " ... (cut)"
    assert error.traceback is not None
    assert len(error.traceback.encode()) < 3100


def test_a_long_traceback_keeps_both_ends() -> None:
    def ping(n: int) -> None:
        pong(n)

    def pong(n: int) -> None:
        ping(n + 1)

    error = described(lambda: ping(0), traceback_bytes=2000)
    assert error.type == "RecursionError"
    assert error.traceback is not None
    assert error.traceback.startswith("Traceback (most recent call last):")
    assert "\n  ...\n" in error.traceback
    assert "RecursionError: maximum recursion depth exceeded" in error.traceback
    assert len(error.traceback.encode()) < 2100


def test_each_exception_of_a_group_is_told() -> None:
    group = ExceptionGroup("several", [ValueError("first"), KeyError("second")])
    traceback = describe(group, LIMITS).traceback
    assert traceback is not None
    assert "ValueError: first" in traceback
    assert "KeyError: 'second'" in traceback
