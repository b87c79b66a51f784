"""Return annotations: whether a result is what its function says that it returns.

Only the outermost type is looked at, which costs next to nothing. What an annotation leaves open,
as protocols and type variables do, fits everything.
"""

import inspect
import numbers
from collections.abc import Callable
from types import UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    NamedTuple,
    NewType,
    Union,
    get_args,
    get_origin,
    is_typeddict,
)

from pooldeck.text import qualified_name
from pooldeck.worker.values import type_hints

_TOWER: Final[dict[Any, tuple[type, ...]]] = {
    float: (float, int, numbers.Real),  # what type checkers take, and the numbers of numpy
    int: (int, numbers.Integral),
    complex: (complex, numbers.Number),
    bytes: (bytes, bytearray, memoryview),
}


class ReturnType(NamedTuple):
    """What a function says that it returns: its classes, and the annotation in words."""

    kinds: tuple[type, ...]
    words: str

    def complaint(self, value: Any) -> str | None:
        """Return what to say of a value that contradicts the annotation; None where it fits."""
        if isinstance(value, self.kinds) or isinstance(_plain(value), self.kinds):
            return None
        name = qualified_name(type(value))
        return f"the function returned {name}, and its annotation says {self.words}"


def _plain(value: Any) -> Any:
    """Return the number or text of Python's that one of numpy's stands for."""
    is_scalar = type(value).__module__ == "numpy" and getattr(value, "shape", None) == ()
    return value.item() if is_scalar else value


def return_type(function: Callable[..., Any], signature: inspect.Signature) -> ReturnType | None:
    """Return what a function says that it returns; None where that leaves everything open."""
    annotation = signature.return_annotation
    if annotation is signature.empty:
        return None
    try:
        kinds = _kinds(type_hints.evaluated(function, "return", annotation))
        isinstance(None, kinds)  # classes can refuse to be asked
    except Exception:  # noqa: BLE001 - evaluating the user's annotations can raise anything
        return None
    is_text = isinstance(annotation, str)
    words = annotation if is_text else inspect.formatannotation(annotation)
    return ReturnType(kinds, words) if kinds else None


def _kinds(hint: Any) -> tuple[type, ...]:
    """Return the classes of what fits a hint; none where that cannot be said."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _kinds(inner[0])
    if isinstance(hint, NewType):
        return _kinds(hint.__supertype__)
    if origin in {Union, UnionType}:
        each = [_kinds(one) for one in inner]
        return tuple(kind for kinds in each for kind in kinds) if all(each) else ()
    if origin is Literal:
        return tuple({type(value) for value in inner})
    return _of_class(dict if is_typeddict(hint) else origin or hint)


def _of_class(kind: Any) -> tuple[type, ...]:
    if kind in _TOWER:
        return _TOWER[kind]
    is_open = kind is object or hasattr(kind, "__await__") or getattr(kind, "_is_protocol", False)
    return (kind,) if isinstance(kind, type) and not is_open else ()
