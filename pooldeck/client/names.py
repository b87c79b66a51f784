"""The name under which a server knows a function."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from pooldeck import task_marks

_MAIN: Final = "__main__"


def name_of(function: str | Callable[..., Any]) -> str:
    """Return the name that a function is called by.

    Args:
        function: A function with `@task`, one that a module holds, or the name itself.

    Raises:
        TypeError: If no server could know it: a lambda, a method, a function within another.
    """
    if isinstance(function, str):
        return function
    options = task_marks.options_of(function)
    if options is not None and options.name:
        return str(options.name)
    module = task_marks.home_of(function) or getattr(function, "__module__", None)
    name = getattr(function, "__qualname__", None)
    if not callable(function) or not module or not name or "<" in name:
        raise TypeError(
            f"{function!r} cannot be called on a server: submit a function of a module that the "
            "server loads, best one with @task, or name it as text"
        )
    return f"{_real_name(module)}.{name}"


def _real_name(module: str) -> str:
    """Return the name of a module, of a program that is being run the one to import it by."""
    if module != _MAIN:
        return module
    main = sys.modules[_MAIN]
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return str(spec.name)
    file = getattr(main, "__file__", None)
    if file is None:
        raise TypeError(
            "a function that was typed in has no name that a server could know: put it into a "
            "module that the server loads"
        )
    return Path(file).stem
