"""Whether a function uses `pooldeck.shared`, as far as its code names it."""

import sys
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Final

_PACKAGE: Final = "pooldeck"
_NAME: Final = "shared"
_MODULE: Final = f"{_PACKAGE}.{_NAME}"
_module_of = type.__dict__["__module__"].__get__  # whatever a metaclass makes it out to be


def uses_shared(function: FunctionType) -> bool:
    """Tell whether a function's own code names shared state, or what was made of it before."""
    names = set(_names(function.__code__))
    if _MODULE in names or {_PACKAGE, _NAME} <= names:
        return True
    return any(_is_shared(function.__globals__.get(name)) for name in names)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _is_shared(value: object) -> bool:
    """Tell whether something is the module, or of it; no code of the user's is run for that."""
    module = sys.modules.get(_MODULE)
    if value is module and module is not None:
        return True
    made_in = _module_of(type(value))
    return isinstance(made_in, str) and (made_in == _MODULE or made_in.startswith(f"{_MODULE}."))
