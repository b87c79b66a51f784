"""Exceptions as text: bounded, guarded against hostile classes, and never kept alive."""

import traceback
from collections.abc import Iterable, Iterator
from types import FrameType, TracebackType

from msgspec.structs import replace

from pooldeck.masking import Mask
from pooldeck.outcome import Error, ErrorKind
from pooldeck.protocol import Limits
from pooldeck.text import bounded, qualified_name, shown

_CHAIN = 10
_ROOM = 4  # times as much is masked as is kept
_FRAMES = 1000
_TYPE_BYTES = 500
_MACHINERY = frozenset({"pooldeck", "asyncio", "importlib"})


class Misfit(Exception):  # noqa: N818 - its kinds are named as the error kinds that they become
    """A value that does not fit. `type` names the error beneath it."""

    def __init__(self, error_type: str, reason: str) -> None:
        super().__init__(reason)
        self.type = error_type


def describe(
    exception: BaseException,
    limits: Limits,
    kind: ErrorKind = ErrorKind.EXCEPTION,
    mask: Mask | None = None,
) -> Error:
    """Return `exception` as data, without what `mask` leaves out.

    The traceback is the text that Python would print, with its causes, starting at the user's
    code; `cause` names the causes once more for programs, at most ten.
    """
    try:
        if mask is None:
            return _described(exception, limits, kind)
        roomy = replace(
            limits,
            message_bytes=_ROOM * limits.message_bytes,
            traceback_bytes=_ROOM * limits.traceback_bytes,
        )
        return _cut(mask.error(_described(exception, roomy, kind)), limits)
    except BaseException as error:  # noqa: BLE001 - attributes of an exception can be the user's code
        return Error(kind, "Exception", f"(describing it raised {type(error).__name__})")


def _cut(error: Error, limits: Limits) -> Error:
    """Return an error within its bounds that was masked before: half a value would not be known."""
    return replace(
        error,
        message=bounded(error.message, limits.message_bytes),
        traceback=error.traceback and joined(error.traceback.splitlines(keepends=True), limits),
        cause=None if error.cause is None else _cut(error.cause, limits),
    )


def is_good_exit(exception: BaseException) -> bool:
    """Tell whether an exception is how a program ends well: `sys.exit()` without a code, or 0."""
    try:
        return isinstance(exception, SystemExit) and _is_good(exception.code)
    except BaseException:  # noqa: BLE001 - attributes of an exception can be the user's code
        return False


def _is_good(code: object) -> bool:
    return code is None or (isinstance(code, int) and int.__eq__(code, 0))


def in_user_code(frames: TracebackType | None) -> TracebackType | None:
    """Return the part of a traceback that starts at the user's code; None if it has none."""
    while frames is not None and is_machinery(frames.tb_frame):
        frames = frames.tb_next
    return frames


def is_machinery(frame: FrameType) -> bool:
    package = frame.f_globals.get("__package__")  # right even for a `__main__`
    return isinstance(package, str) and package.partition(".")[0] in _MACHINERY


def joined(lines: Iterable[str], limits: Limits) -> str:
    """Join lines, leaving out the middle where they are too long: both ends tell the most."""
    text = "".join(bounded(line, limits.message_bytes) for line in lines)
    if len(text.encode()) <= limits.traceback_bytes:
        return text
    half = limits.traceback_bytes // 2
    tail = text.encode()[-half:].decode("utf-8", "ignore")
    return f"{bounded(text, half)}\n  ...\n{tail}"


def _described(exception: BaseException, limits: Limits, kind: ErrorKind) -> Error:
    chain: Error | None = None
    for cause in reversed(list(_causes(exception))):
        chain = Error(ErrorKind.EXCEPTION, _type(cause), _message(cause, limits), cause=chain)
    return Error(
        kind,
        _type(exception),
        _message(exception, limits),
        traceback=_traceback(exception, limits),
        cause=chain,
    )


def _causes(exception: BaseException) -> Iterator[BaseException]:
    seen = {id(exception)}
    cause = _cause(exception)
    while cause is not None and id(cause) not in seen and len(seen) <= _CHAIN:
        seen.add(id(cause))
        yield cause
        cause = _cause(cause)


def _cause(exception: BaseException) -> BaseException | None:
    if exception.__cause__ is not None or exception.__suppress_context__:
        return exception.__cause__
    return exception.__context__


def _type(exception: BaseException) -> str:
    return bounded(qualified_name(type(exception)), _TYPE_BYTES)


def _message(exception: BaseException, limits: Limits) -> str:
    return bounded(_exit_code(exception) or shown(exception), limits.message_bytes)


def _exit_code(exception: BaseException) -> str | None:
    """Return the words for `sys.exit` with a number; None where an exception has words of its own.

    Anything else is an error message, as Python has it; an empty one leaves the code 1.
    """
    if not isinstance(exception, SystemExit):
        return None
    code = exception.code
    if isinstance(code, int):
        return f"exit code {int(code)}"
    return "exit code 1" if code == "" else None


def _traceback(exception: BaseException, limits: Limits) -> str:
    try:
        lines = traceback.TracebackException(
            type(exception),
            exception,
            in_user_code(exception.__traceback__),
            limit=-_FRAMES,
            compact=True,
        ).format()
        return joined(lines, limits)
    except BaseException as error:  # noqa: BLE001 - formatting calls the user's code
        return f"(its traceback cannot be shown: formatting it raised {type(error).__name__})"
