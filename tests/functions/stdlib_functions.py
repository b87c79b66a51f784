"""What CPython's own tests of executors submit, under the names that it has there."""

import time
from collections.abc import Callable
from typing import Any, Final

from pooldeck import task

_HOMES: Final = ("", *(f".{name}" for name in ("executor", "test_wait", "test_as_completed")))


def _mul(x: Any, y: Any) -> Any:
    return x * y


def _sleep_and_raise(t: float) -> None:
    time.sleep(t)
    raise Exception("this is an exception")  # noqa: TRY002 - that is what theirs raises


def _sleep(seconds: float) -> None:
    time.sleep(seconds)


def _register(name: str, function: Callable[..., Any]) -> None:
    globals()[name.replace(".", "_")] = task(name=name, pool="io")(function)


def _another(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return one that is not registered yet."""

    def another(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return another


_THEIRS: Final[dict[str, Callable[..., Any]]] = {
    "builtins.pow": pow,
    "builtins.divmod": divmod,
    "builtins.str": str,
    "builtins.id": id,
    "time.sleep": _sleep,
}
for _name, _function in _THEIRS.items():
    _register(_name, _another(_function))
for _home in _HOMES:
    _register(f"test_concurrent_futures{_home}.mul", _another(_mul))
    _register(f"test_concurrent_futures{_home}.sleep_and_raise", _another(_sleep_and_raise))
