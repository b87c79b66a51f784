"""`register_type`: how objects of a class of the user's become JSON, and come back from it."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RegisteredType:
    """What `register_type` was given."""

    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any] | None
    schema: dict[str, Any]


REGISTERED: Final[dict[type, RegisteredType]] = {}
"""The classes that were registered in this process."""

_AS_THEY_ARE: Final = (str, int, float, list, tuple, dict)


def register_type(
    kind: type[T],
    /,
    *,
    encode: Callable[[T], Any],
    decode: Callable[[Any], T] | None = None,
    schema: dict[str, Any] | None = None,
) -> None:
    """Let objects of a class go out in results, and come in as arguments that are annotated so.

    It counts for its subclasses as well, and in the process that calls it: call it where a module
    of functions is imported. Registering a class again takes the place of what was said before.

    Args:
        kind: The class.
        encode: Returns what stands for an object in a result: JSON, or what can become it.
        decode: Returns an object, made of a JSON value that was submitted. Without it, arguments
            that are annotated so are passed as they come.
        schema: JSON Schema of what `decode` takes, checked before a task is stored; anything unless
            given.

    Raises:
        TypeError: If it is no class, or one whose objects have a way of their own: text, numbers,
            lists, tuples, dictionaries and their subclasses go out as what they are.
    """
    if not inspect.isclass(kind):
        raise TypeError(f"register_type takes a class, not {kind!r}")
    if issubclass(kind, _AS_THEY_ARE):
        names = ", ".join(each.__name__ for each in _AS_THEY_ARE)
        raise TypeError(
            f"{kind.__qualname__} cannot be registered: objects of {names} and their subclasses go "
            "out as what they are"
        )
    if decode is not None and _has_fields(kind):
        raise TypeError(
            f"{kind.__qualname__} cannot be registered with decode: it comes in by its fields"
        )
    REGISTERED[kind] = RegisteredType(encode, decode, dict(schema or {}))


def _has_fields(kind: type) -> bool:
    """Tell whether arguments become objects of a class without any help."""
    from msgspec import inspect as types  # noqa: PLC0415 - most users register nothing

    try:
        return not isinstance(types.type_info(kind), types.CustomType)
    except Exception:  # noqa: BLE001 - annotations in the user's class can raise anything
        return False
