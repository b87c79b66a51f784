"""Which objects have a state that calls would share: a connection, a file, a counter, a generator.

Containers are told apart: looking something up in a table that was made at import shares nothing,
and who changes one is seen doing so. An object is asked nothing, since its answer would be the
user's code; its class is looked at. Classes are known by name: importing them all would hold up
the start of every worker.
"""

import sys
import types
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final

import msgspec

_LOOKED_AT: Final = 100  # items of a container
_DEPTH: Final = 3
_STANDARD: Final = ("stdin", "stdout", "stderr")


def _full(names: Mapping[str, str]) -> frozenset[str]:
    """Return the full names of classes from those of each module."""
    return frozenset(f"{module}.{name}" for module in names for name in names[module].split())


_CONTAINERS: Final = _full(
    {
        "builtins": "list dict set bytearray",
        "array": "array",
        "types": "SimpleNamespace",
        "collections": "deque UserDict UserList",
        "numpy": "ndarray",
        "pandas.core.frame": "DataFrame",
        "pandas.core.series": "Series",
    }
)
"""What is looked up in: only who changes one shares something by it."""

_PER_CALL: Final = _full({"thread": "_local", "contextvars": "ContextVar"})
"""What is another for each thread, so that its changes are seen by nobody else."""

_CALM: Final = _full(
    {
        "builtins": (
            "NoneType bool int float complex str bytes range slice frozenset tuple ellipsis "
            "NotImplementedType BaseException type module function method method-wrapper property "
            "builtin_function_or_method method_descriptor wrapper_descriptor "
            "classmethod_descriptor mappingproxy"
        ),
        "types": "GenericAlias UnionType",
        "functools": "partial _lru_cache_wrapper",
        "operator": "itemgetter attrgetter methodcaller",
        "decimal": "Decimal",
        "fractions": "Fraction",
        "uuid": "UUID",
        "pathlib": "PurePath",
        "pathlib._local": "PurePath",
        "re": "Pattern Match",
        "datetime": "date time timedelta tzinfo",
        "ipaddress": "_IPAddressBase",
        "struct": "Struct",
        "string": "Template Formatter",
        "enum": "Enum",
        "logging": "Logger LoggerAdapter",
        "thread": "lock RLock",
        "threading": "Condition Event Semaphore Barrier",
    }
)
"""What has no state, or exists to be shared."""

_CALM_PACKAGES: Final = frozenset(("typing", "typing_extensions", "pooldeck"))
"""Of what types are made of, and what is made to be shared by calls."""

_METHODS: Final = (types.MethodType, types.BuiltinMethodType, types.MethodWrapperType)
_contents_of = type.__dict__["__dict__"].__get__  # whatever a metaclass makes them out to be
_order_of = type.__dict__["__mro__"].__get__
_module_of = type.__dict__["__module__"].__get__
_name_of = type.__dict__["__name__"].__get__


def members(owner: type) -> dict[str, Any]:
    """Return what a class itself defines."""
    return dict(_contents_of(owner))


def class_name(value: Any) -> str:
    """Return what the class of a value is called."""
    return str(_name_of(type(value)))


def is_container(value: Any) -> bool:
    """Tell whether a value is looked up in, and changed by the methods that containers have."""
    return not _CONTAINERS.isdisjoint(_names(value))


def is_per_call(value: Any) -> bool:
    """Tell whether a value is another for each thread, or for each context."""
    return not _PER_CALL.isdisjoint(_names(value))


def has_state(value: Any, depth: int = 0) -> bool:
    """Tell whether a value has a state that whoever uses it has part in."""
    if type(value) in _METHODS:  # `isinstance` would ask the value what it is
        return _is_bound_to_state(value, depth)
    if any(value is getattr(sys, name) for name in _STANDARD):
        return False  # a worker keeps the output of its calls apart
    inner = _inside(value) if depth < _DEPTH else None
    if inner is not None:
        return any(has_state(each, depth + 1) for each in islice(inner, _LOOKED_AT))
    return not (_is_calm(value) or is_container(value) or is_per_call(value))


def _is_bound_to_state(method: Any, depth: int) -> bool:
    owner = method.__self__
    if owner is None or issubclass(type(owner), types.ModuleType | type):
        return False
    return is_container(owner) or has_state(owner, depth + 1)


def _inside(value: Any) -> Iterable[Any] | None:
    """Return what is in a container of a plain class; asking another might run the user's code."""
    kind = type(value)
    if kind is dict:
        return list(value.values())
    return list(value) if kind in {list, tuple, set, frozenset} else None


def _is_calm(value: Any) -> bool:
    kind = type(value)
    package = str(_module_of(kind)).partition(".")[0]
    return package in _CALM_PACKAGES or _is_frozen(kind) or not _CALM.isdisjoint(_names(value))


def _is_frozen(kind: type) -> bool:
    """Tell whether a class is one of values that never change: of a dataclass or a struct."""
    if issubclass(type(kind), type(msgspec.Struct)):
        return bool(kind.__struct_config__.frozen)  # type: ignore[attr-defined]
    made = (_contents_of(base).get("__dataclass_params__") for base in _order_of(kind))
    return any(getattr(each, "frozen", False) for each in made if each is not None)


def _names(value: Any) -> list[str]:
    """Return the full names of the classes of a value, accelerators by what they stand for."""
    order = _order_of(type(value))
    return [f"{_module_of(base)}.{_name_of(base)}".lstrip("_") for base in order]
