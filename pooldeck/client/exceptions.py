"""What a task's error is as an exception: of its own class where that is imported here already.

Nothing is imported for it, and no code of the class is run: neither `__init__` nor a `__new__` of
its own. What cannot be made so becomes a `RemoteError`.
"""

import ast
import sys
from collections.abc import Callable
from concurrent.futures import CancelledError
from types import FunctionType
from typing import Any, Final

from msgspec import Struct

from pooldeck.client.errors import BadArguments, RemoteError, TaskLost

_NOT_THAT: Final = 422  # what the server answers to arguments that do not fit
_set_cause: Final = BaseException.__dict__["__cause__"].__set__  # no `__setattr__` of the user's


class TaskFailure(Struct, frozen=True):
    """Why a task ended without a result, as the API has it."""

    kind: str
    type: str = "Exception"
    message: str = ""
    traceback: str | None = None


def exception_of(failure: TaskFailure | None, *, is_lost: bool) -> BaseException:
    """Return the exception that a future raises for a task that failed or was lost."""
    if failure is None:
        return TaskLost("nobody can know how the task ended")
    if is_lost:
        made: BaseException = TaskLost(_sentence(failure))
    else:
        made = _MAKERS.get(failure.kind, _raised)(failure)
    if failure.traceback:
        _set_cause(made, _remote(failure.traceback))
    return made


def _sentence(failure: TaskFailure) -> str:
    return f"{failure.message[:1].upper()}{failure.message[1:]}"


def _remote(traceback: str) -> BaseException:
    """Return the cause that programs know a remote traceback by."""
    from concurrent.futures.process import (  # noqa: PLC0415 - it imports multiprocessing
        _RemoteTraceback,
    )

    return _RemoteTraceback(f'\n"""\n{traceback}"""')  # type: ignore[arg-type]  # it takes text


def _crashed(failure: TaskFailure) -> BaseException:
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415 - as above

    return BrokenProcessPool(_sentence(failure))


def _timed_out(failure: TaskFailure) -> BaseException:
    return TimeoutError(_sentence(failure))


def _abandoned(failure: TaskFailure) -> BaseException:
    return CancelledError(_sentence(failure))


def _misfit(failure: TaskFailure) -> BaseException:
    return BadArguments(_NOT_THAT, failure.kind, failure.message)


def _raised(failure: TaskFailure) -> BaseException:
    kind = _imported(failure.type)
    made = None if kind is None else _made(kind, failure.message)
    return made or RemoteError(failure.type, failure.message, failure.traceback)


_MAKERS: Final[dict[str, Callable[[TaskFailure], BaseException]]] = {
    "timeout": _timed_out,
    "crashed": _crashed,
    "bystander": _crashed,
    "abandoned": _abandoned,
    "bad_arguments": _misfit,
}


def _imported(name: str) -> type[Exception] | None:
    """Return the class of exceptions of that name, if a module that is imported has it."""
    parts = name.split(".")
    for length in range(len(parts) - 1, -1, -1):
        module = sys.modules.get(".".join(parts[:length]) or "builtins")
        if module is not None:
            found = _attribute(module, parts[length:])
            return found if isinstance(found, type) and issubclass(found, Exception) else None
    return None


def _attribute(module: Any, path: list[str]) -> Any:
    """Return what a path of names leads to, without asking any `__getattr__`."""
    found = module
    for name in path:
        try:
            found = vars(found).get(name)
        except TypeError:
            return None
    return found


def _made(kind: type[Exception], message: str) -> Exception | None:
    """Return an exception of a class with a message; None where its own code would have to run."""
    maker = next(vars(base)["__new__"] for base in kind.__mro__ if "__new__" in vars(base))
    if isinstance(getattr(maker, "__func__", maker), FunctionType):
        return None
    try:
        made = kind.__new__(kind, *_arguments(kind, message))
    except Exception:  # noqa: BLE001 - a class written in C may want what only its owner knows
        return None
    if isinstance(made, SyntaxError):
        made.msg = message
    return made


def _arguments(kind: type[Exception], message: str) -> tuple[Any, ...]:
    if not message:
        return ()
    if kind.__str__ is KeyError.__str__:  # its text is the `repr` of the key
        try:
            return (ast.literal_eval(message),)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return (message,)
    return (message,)
