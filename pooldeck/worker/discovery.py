"""Discovery of registered functions in the modules that a worker loads."""

import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeAlias

from pooldeck.functions import OPTIONS_ATTRIBUTE, FunctionSpec, Options
from pooldeck.worker import signatures, type_hints
from pooldeck.worker.conversion import Conversion

Convert: TypeAlias = Callable[[list[Any], dict[str, Any]], tuple[list[Any], dict[str, Any]]]
"""Turns the arguments of a call from JSON values into what the function takes."""


class DiscoveryError(Exception):
    """The modules cannot be served as they are."""


@dataclass(frozen=True, slots=True)
class Function:
    """A registered function, ready to be called. `convert` is None where nothing needs it."""

    spec: FunctionSpec
    call: Callable[..., Any]
    convert: Convert | None


def discover(modules: Iterable[str]) -> dict[str, Function]:
    """Import modules and return their registered functions by name.

    A function belongs to the module that defines it: names imported from elsewhere are left out. An
    import may raise anything, and two functions of the same name are a `DiscoveryError`.
    """
    found: dict[str, Function] = {}
    for module in [importlib.import_module(name) for name in modules]:
        for call in _registered(module):
            function = _function(call)
            _refuse_twin(found.get(function.spec.name), function)
            found[function.spec.name] = function
    return found


def merged(found: Mapping[str, Function], commands: Mapping[str, Function]) -> dict[str, Function]:
    """Return the functions of modules and the declared commands together, if no two are alike."""
    if twins := found.keys() & commands.keys():
        raise DiscoveryError(
            f"a function and a command are both called {min(twins)}; give the function another "
            "name with @task(name=...), or rename the command"
        )
    return {**found, **commands}


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


def _registered(module: ModuleType) -> Iterator[Callable[..., Any]]:
    seen = {id(value): value for value in vars(module).values()}
    for value in seen.values():
        if _options(value) is not None and value.__module__ == module.__name__:
            yield value


def _options(value: Any) -> Options | None:
    """Return the options that `@task` set on a function, or on what other decorators made of it."""
    options = inspect.getattr_static(value, OPTIONS_ATTRIBUTE, None)
    return options if isinstance(options, Options) and callable(value) else None


def _function(call: Callable[..., Any]) -> Function:
    options = _options(call) or Options()
    signature = inspect.signature(call)
    types = {p.name: type_hints.resolve(call, p) for p in signature.parameters.values()}
    conversion = Conversion(signature, types, options.sensitive)
    spec = signatures.describe(call, options, types)
    return Function(spec, call, conversion if conversion.needed else None)


def _refuse_twin(first: Function | None, second: Function) -> None:
    if first is not None and first.call is not second.call:
        raise DiscoveryError(
            f"two functions are called {second.spec.name}: {_place(first)} and {_place(second)}; "
            "give one of them another name with @task(name=...)"
        )


def _place(function: Function) -> str:
    code = inspect.unwrap(function.call).__code__
    return f"{function.call.__module__}.{function.call.__qualname__} (line {code.co_firstlineno})"
