"""Annotations: resolved, and told apart by whether JSON values need conversion for them.

msgspec does the work for the types it knows, and the table of types adds others. An annotation that
neither understands counts as `Any`: every value is accepted and passed as it is.
"""

import functools
import inspect
from collections.abc import Callable
from enum import Enum
from types import NoneType, SimpleNamespace, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from pooldeck.worker.values.constraints import rebuilt, translated
from pooldeck.worker.values.json_schemas import schemas
from pooldeck.worker.values.type_table import Keyed, Member, row_of

_PLAIN = frozenset({int, str, float, bool, list, dict, NoneType, Any})


def resolve(function: Callable[..., Any], parameter: inspect.Parameter) -> Any:
    """Return the parameter's annotation as a type, `Any` where there is none that is understood."""
    if parameter.annotation is parameter.empty:
        return Any
    try:
        hint = evaluated(function, parameter.name, parameter.annotation)
        if parameter.default is None:
            hint = hint | None
    except Exception:  # noqa: BLE001 - evaluating the user's annotations can raise anything
        return Any
    return next((each for each in _readings(hint) if _is_understood(each)), Any)


def evaluated(function: Callable[..., Any], name: str, annotation: Any) -> Any:
    """Evaluate one annotation alone, so that one unknown name does not spoil the others."""
    holder = SimpleNamespace(__annotations__={name: annotation})
    namespace = getattr(_defined(function), "__globals__", {})
    return get_type_hints(holder, namespace, include_extras=True)[name]


def _defined(function: Any) -> Any:
    """Return the function of the user's that a callable is made of."""
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif inspect.ismethod(function):
            function = function.__func__
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        elif inspect.isroutine(function) or not callable(function) or inspect.isclass(function):
            return function
        else:
            function = type(function).__call__


def _readings(hint: Any) -> list[Any]:
    """Return a hint with all its bounds, and without those that do not go with its type."""
    try:
        return [_by_the_table(translated(hint)), _by_the_table(hint)]
    except Exception:  # noqa: BLE001 - as above
        return [hint]


def _by_the_table(hint: Any) -> Any:
    """Return a hint in which the table makes those members and keys that msgspec does not."""
    if isinstance(hint, type) and issubclass(hint, Enum) and not _goes_out_by_its_value(hint):
        return Member[hint]
    changed = rebuilt(hint, _by_the_table)
    if get_origin(changed) is not dict:
        return changed
    key = get_args(changed)[0]
    if get_origin(key) is Member:
        return hint  # nobody makes one of a key's text
    if isinstance(key, type):
        row = row_of(key)
        if row is not None and row.decode is not None:
            return Keyed[get_args(changed)]  # type: ignore[misc]  # as computed
    return changed


def _goes_out_by_its_value(kind: type[Enum]) -> bool:
    """Tell whether msgspec makes members of an enumeration of what goes out for them."""
    kinds = {type(each.value) for each in kind}
    return kinds in (set(), {str}, {int}) and row_of(kind) == row_of(Enum)


def _is_understood(hint: Any) -> bool:
    try:
        msgspec.msgpack.encode(schemas([hint]))  # it has to fit into a frame as well
        msgspec.json.Decoder(hint)  # and not all unions that can be described can be made
    except Exception:  # noqa: BLE001 - as above
        return False
    return True


def is_plain(hint: Any) -> bool:
    """Tell whether JSON values of this type are what the function expects, without conversion."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return is_plain(inner[0])
    if origin in {Union, UnionType, list}:
        return all(map(is_plain, inner))
    if origin is dict:
        return not inner or (inner[0] is str and is_plain(inner[1]))
    if origin is Literal:
        return all(type(value) in _PLAIN for value in inner)
    return hint in _PLAIN
