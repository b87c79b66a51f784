"""Which values a field may have that takes one of a few."""

from functools import cache
from typing import Any

from msgspec import inspect


def choices_at(model: Any, pointer: str) -> list[str]:
    """Return the values that may stand at a place of a type, none where it is no enumeration.

    Args:
        model: The type of the whole.
        pointer: A JSON pointer, such as "/filter/state/0".
    """
    found = _type_of(model)
    for part in pointer.split("/")[1:]:
        found = _bare(found)
        if isinstance(found, inspect.StructType):
            found = next((each.type for each in found.fields if each.encode_name == part), None)
        else:
            found = getattr(found, "item_type", None)
    match _bare(found):
        case inspect.EnumType(cls=cls):
            return [str(each.value) for each in cls]
        case inspect.LiteralType(values=values):
            return list(map(str, values))
    return []


@cache
def _type_of(model: Any) -> Any:
    return inspect.type_info(model)


def _bare(found: Any) -> Any:
    """Return what a type is beside its description, and beside null."""
    while isinstance(found, inspect.Metadata | inspect.UnionType):
        if isinstance(found, inspect.Metadata):
            found = found.type
        else:
            others = (each for each in found.types if not isinstance(each, inspect.NoneType))
            found = next(others, None)
    return found
