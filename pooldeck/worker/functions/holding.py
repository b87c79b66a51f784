"""Which registered functions a module holds, under which names, and which it has lost."""

import functools
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from types import FunctionType, ModuleType
from typing import Any, Final, NamedTuple

from pooldeck import task_marks
from pooldeck.functions import Options
from pooldeck.task_marks import Mark

_DEEPEST: Final = 5  # decorators around a function


class HeldFunction(NamedTuple):
    """A registered function, and the name that a module has for it.

    `problem`: why it cannot be called, where the module has none.
    """

    name: str
    call: Callable[..., Any]
    options: Options
    problem: str | None = None


def held(module: ModuleType, loaded: Collection[str]) -> Iterator[HeldFunction]:
    """Yield what of a module's names is registered and belongs to it, and what it has lost.

    `loaded` are the names of all modules whose functions can be called.
    """
    found = {}
    for names, value in _objects(module):
        options = task_marks.options_of(value)
        if isinstance(options, Options) and callable(value) and _belongs(value, module, loaded):
            name = _shown_name(value, names)
            found[name] = HeldFunction(name, value, options)
    yield from found.values()
    known = {id(layer) for each in found.values() for layer in _layers(each.call)}
    for mark in task_marks.made_in(module.__name__, vars(module)):
        if id(mark.function) in known:
            continue
        known.add(id(mark.function))
        if mark.home == module.__name__ and mark.name not in found:
            yield _around(mark, module)
        elif mark.home not in {module.__name__, *loaded}:
            yield _below(mark, module)


def _objects(module: ModuleType) -> Iterator[tuple[list[str], Any]]:
    """Yield each object of a module once, with all names that it has there."""
    names: dict[int, list[str]] = {}
    for name, value in vars(module).items():
        names.setdefault(id(value), []).append(name)
    for each in names.values():
        yield each, vars(module)[each[0]]


def _shown_name(call: Any, names: list[str]) -> str:
    """Return the name that a reader of the module would call it by: its own, if that is shown."""
    own = getattr(call, "__name__", None)
    return min(names, key=lambda name: (name.startswith("_"), name != own))


def _belongs(value: Any, module: ModuleType, loaded: Collection[str]) -> bool:
    defined = getattr(value, "__module__", None)
    marked = task_marks.home_of(value)
    return module.__name__ in {defined, marked} or not {defined, marked} & set(loaded)


def _around(mark: Mark, module: ModuleType) -> HeldFunction:
    """Return what a module has in place of a function that it has marked."""
    outer = vars(module).get(mark.name)
    if callable(outer) and any(layer is mark.function for layer in _layers(outer)):
        return HeldFunction(mark.name, outer, mark.options)
    problem = (
        f"it was marked with @task in line {mark.line} of {mark.home}, which has no name for it"
        if outer is None
        else f"it was marked with @task in line {mark.line} of {mark.home}, where its name stands "
        "for something else that does not lead to it; put @task above the other decorators"
    )
    return HeldFunction(mark.name, mark.function, mark.options, problem)


def _below(mark: Mark, module: ModuleType) -> HeldFunction:
    """Return what a module below a package has marked that is loaded, and is not loaded itself."""
    package = module.__name__
    problem = (
        f"it was marked with @task in line {mark.line} of {mark.home}, which is not one of the "
        f"modules of functions, and {package} has no name for it: import it there, or name its "
        "module as well"
    )
    name = f"{mark.home.removeprefix(f'{package}.')}.{mark.name}"
    return HeldFunction(name, mark.function, mark.options, problem)


def _layers(call: Any) -> Iterator[Any]:
    """Yield a callable and what it holds on to: what decorators have made it of."""
    waiting, seen = [(call, 0)], set()
    while waiting:
        each, depth = waiting.pop(0)
        if id(each) in seen or not callable(each):
            continue
        seen.add(id(each))
        yield each
        if depth < _DEEPEST:
            waiting += [(inner, depth + 1) for inner in _inside(each)]


def _inside(call: Any) -> Iterator[Any]:
    if isinstance(call, functools.partial):
        yield call.func
    with suppress(AttributeError):  # no `__getattr__` of the user's is asked
        yield from object.__getattribute__(call, "__dict__").values()
    for cell in (call.__closure__ or ()) if isinstance(call, FunctionType) else ():
        with suppress(ValueError):  # nothing was put in yet
            yield cell.cell_contents
