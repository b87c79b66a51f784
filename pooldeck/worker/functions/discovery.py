"""Discovery of registered functions in the modules that a worker loads."""

import importlib
import inspect
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from msgspec import structs

from pooldeck.functions import TWIN_ATTRIBUTE, FunctionSpec
from pooldeck.worker.functions import holding, signatures
from pooldeck.worker.functions.call_signatures import Taken, taken
from pooldeck.worker.functions.conversion import Conversion
from pooldeck.worker.functions.holding import HeldFunction
from pooldeck.worker.risks import Sources, look
from pooldeck.worker.values import type_hints
from pooldeck.worker.values.return_types import ReturnType, return_type

Convert: TypeAlias = Callable[[list[Any], dict[str, Any]], tuple[list[Any], dict[str, Any]]]
"""Turns the arguments of a call from JSON values into what the function takes."""


class DiscoveryError(Exception):
    """The modules cannot be served as they are."""


@dataclass(frozen=True, slots=True)
class Function:
    """A registered function, ready to be called.

    `convert` is None where nothing needs it, `returns` where nothing is known of its results.
    """

    spec: FunctionSpec
    call: Callable[..., Any]
    convert: Convert | None
    returns: ReturnType | None = None


def functions_of(module: str, loaded: Collection[str] = ()) -> list[Function]:
    """Import a module and return its registered functions, in their order.

    A function belongs to the module that defines or marks it, and to one that only holds it where
    neither of these is among the modules that are `loaded`. The import may raise anything.
    """
    sources = Sources()
    imported = importlib.import_module(module)
    return [_function(each, module, sources) for each in holding.held(imported, {module, *loaded})]


def by_name(functions: Iterable[Function]) -> dict[str, Function]:
    """Return functions by their names. A name that two of them have belongs to neither.

    It stands with a problem that says so: whoever calls it could mean the one or the other.
    """
    found: dict[str, Function] = {}
    for function in functions:
        name = function.spec.name
        first = found.setdefault(name, function)
        if first.call is not function.call and first.spec.problem is None:
            problem = (
                f"two functions are called {name}: {_place(first)} and {_place(function)}; "
                "give one of them another name with @task(name=...)"
            )
            found[name] = replace(first, spec=structs.replace(first.spec, problem=problem))
    return found


def resolve(path: str) -> Callable[[], Any]:
    """Return the callable at `path`, which is `module.function`; its import may raise anything."""
    module, _, name = path.rpartition(".")
    target = getattr(importlib.import_module(module), name, None)
    if not callable(target):
        raise DiscoveryError(f"the initializer {path} is not a function of the module {module}")
    if inspect.iscoroutinefunction(target):
        raise DiscoveryError(
            f"the initializer {path} is async, and each call has an event loop of its own: what it "
            "opened could not be used; make it a plain function"
        )
    return target  # type: ignore[no-any-return]  # an import by name has no type


def _function(held: HeldFunction, module: str, sources: Sources) -> Function:
    call, options = held.call, held.options
    what = taken(call, sources)
    types = {p.name: type_hints.resolve(call, p) for p in what.signature.parameters.values()}
    if what.is_open and options.sensitive:  # whatever goes where nobody can know is hidden
        options = structs.replace(options, sensitive=tuple({*options.sensitive, *_rest(what)}))
    described = signatures.describe(
        call,
        what.signature,
        types,
        options,
        name=options.name or f"{module}.{held.name}",
        module=module,
        is_open=what.is_open,
    )
    seen = look(call, sources)
    problem = described.problem or held.problem or _twin(call, described.name)
    spec = structs.replace(
        described, risks=seen.risks, code=seen.code, problem=problem, shares=seen.shares
    )
    conversion = Conversion(what, types, options.sensitive)
    return Function(
        spec, call, conversion if conversion.needed else None, return_type(call, what.signature)
    )


def _rest(what: Taken) -> Iterator[str]:
    variable = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    yield from (each.name for each in what.signature.parameters.values() if each.kind in variable)


def _twin(call: Callable[..., Any], name: str) -> str | None:
    line = inspect.getattr_static(call, TWIN_ATTRIBUTE, None)
    return (
        None
        if line is None
        else f"two functions are called {name}: the first of them is in line {line}"
    )


def _place(function: Function) -> str:
    code = getattr(inspect.unwrap(function.call), "__code__", None)
    if code is None or not hasattr(function.call, "__qualname__"):
        return f"one of {function.spec.module}"
    return f"{function.call.__module__}.{function.call.__qualname__} (line {code.co_firstlineno})"
