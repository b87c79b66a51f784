"""The functions that a callable is made of, and those of its module that it uses."""

import functools
from collections.abc import Iterator
from types import FunctionType, MethodType
from typing import Any

from pooldeck.worker.risks import stateful


def layers(call: Any) -> Iterator[FunctionType]:
    """Yield the functions that a callable is made of, the outermost decorator first."""
    while call is not None:
        while type(call) in {functools.partial, MethodType}:
            call = call.func if type(call) is functools.partial else call.__func__
        if type(call) is FunctionType:
            yield call
        call = _attributes(call).get("__wrapped__")


def helpers(value: Any, module: object) -> Iterator[FunctionType]:
    """Yield a function of the module of that name, or the methods of a class of it, or nothing.

    A decorator may have made another callable of the function, as `lru_cache` does.
    """
    if type(value) is FunctionType:
        if value.__module__ == module:
            yield from layers(value)
    elif type(value) is functools.partial:
        yield from helpers(value.func, module)
    elif _attributes(value).get("__module__") == module and "__wrapped__" in _attributes(value):
        yield from layers(value)
    elif issubclass(type(value), type):
        contents = stateful.members(value)
        if contents.get("__module__") == module:
            yield from (each for member in contents.values() for each in _methods(member))


def _attributes(call: Any) -> dict[str, Any]:
    """Return the attributes of an object itself, as no class of the user's can hide them."""
    try:
        found: dict[str, Any] = object.__getattribute__(call, "__dict__")
    except AttributeError:  # it has none
        return {}
    return found


def _methods(member: Any) -> Iterator[FunctionType]:
    kind = type(member)
    if kind is FunctionType:
        yield from layers(member)
    elif kind in {staticmethod, classmethod}:
        yield from _methods(member.__func__)
    elif kind is functools.cached_property:
        yield from _methods(member.func)
    elif kind is property:
        yield from (each for each in (member.fget, member.fset) if type(each) is FunctionType)
