"""Which modules workers have to load for the functions that a program names, and from where."""

import os
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeAlias

from pooldeck import task_marks

Named: TypeAlias = ModuleType | str | Callable[..., Any]
"""A module, its dotted name, or a function of it that has `@task`."""

Functions: TypeAlias = Named | Iterable[object]
"""One of these, or several."""

_MAIN: Final = "__main__"
_PROGRAM: Final = Path(__file__).parents[1] / "worker" / "start.py"  # of a worker


def modules_of(functions: Functions) -> tuple[str, ...]:
    """Return the names of the modules to load, each once, in their order.

    Raises:
        TypeError: If something names no module, or has no `@task`.
        ValueError: If workers could not load it.
    """
    if isinstance(functions, (str, ModuleType)) or callable(functions):
        functions = (functions,)
    return tuple(dict.fromkeys(map(_module_of, functions)))


def _module_of(named: object) -> str:
    match named:
        case str():
            return main_module(named) if named == _MAIN else named
        case ModuleType(__name__=name):
            return main_module(name) if name == _MAIN else name
    shown = getattr(named, "__qualname__", repr(named))
    if task_marks.options_of(named) is None:
        raise TypeError(
            f"{shown} is neither a module, nor the name of one, nor a function with @task"
        )
    if "<locals>" in shown:
        raise ValueError(f"{shown} is made by another function: workers load what a module holds")
    home = task_marks.home_of(named) or getattr(named, "__module__", "")
    return main_module(shown) if home == _MAIN else str(home)


def main_module(what: str) -> str:
    """Return the name by which workers load the program itself, as `multiprocessing` does it.

    It is another than `__main__` there: what stands below `if __name__ == "__main__":` is not run.

    Args:
        what: What is to be loaded of it, for the complaint.

    Raises:
        ValueError: If they cannot: it is a notebook, a prompt, or no file that can be imported.
    """
    main = sys.modules[_MAIN]
    spec = getattr(main, "__spec__", None)
    if spec is not None:  # python -m NAME
        return str(spec.name)
    file = getattr(main, "__file__", None)
    if file is None or "ipykernel" in sys.modules:
        raise ValueError(
            f"{what} is defined in a notebook or at a prompt, where no worker can load it: write "
            "it into a file such as jobs.py, and import it from there"
        )
    path = Path(file)
    if path.suffix != ".py" or "." in path.stem:
        raise ValueError(
            f"{what} is defined in {path.name}, which cannot be imported: move it to a module"
        )
    return path.stem


def import_path() -> str:
    """Return where this program finds its own modules, as PYTHONPATH has it.

    What each interpreter finds by itself is left out.
    """
    return os.pathsep.join(dict.fromkeys(_own_folders()))


def _own_folders() -> Iterator[str]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    libraries = {sysconfig.get_path(name) for name in names}
    for entry in sys.path:
        path = os.path.abspath(entry)  # noqa: PTH100 - "" is the working directory
        is_standard = path in libraries or os.path.dirname(path) in libraries  # noqa: PTH120
        if not is_standard and os.path.exists(path):  # noqa: PTH110
            yield path
    program = getattr(sys.modules[_MAIN], "__file__", None) or ""
    if program.endswith(".py"):  # with `python -P` its folder is not on the path
        yield os.path.dirname(os.path.abspath(program))  # noqa: PTH100, PTH120


def refuse_in_worker() -> None:
    """Refuse to start a server while a worker loads the program that has started it.

    Raises:
        RuntimeError: If this is such a worker.
    """
    file = getattr(sys.modules[_MAIN], "__file__", None)
    if file is None or Path(file) != _PROGRAM or _runs_a_task():
        return
    raise RuntimeError(
        "a worker loads this program, which would start a server once more: start it below "
        'if __name__ == "__main__":'
    )


def _runs_a_task() -> bool:
    from pooldeck.context import LOCAL, current_task  # noqa: PLC0415 - only workers come here

    return current_task() is not LOCAL
