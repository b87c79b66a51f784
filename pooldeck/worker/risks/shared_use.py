"""Whether a function uses `pooldeck.shared`, as far as its code names it."""

from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Final

_PACKAGE: Final = "pooldeck"
_NAME: Final = "shared"
_MODULE: Final = f"{_PACKAGE}.{_NAME}"


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
    """Tell whether something is the module, or of it; asked by types, which cannot lie or hang."""
    if type(value).__name__ == "module":
        return getattr(value, "__name__", None) == _MODULE
    module = type(value).__module__
    return isinstance(module, str) and (module == _MODULE or module.startswith(f"{_MODULE}."))
