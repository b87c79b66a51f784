"""Bounds in annotations, however they are written: pydantic's `Field` and annotated-types too.

msgspec knows its own `Meta` only. Those of others say the same by attributes of the same names, so
that none of these libraries is needed here.
"""

from collections.abc import Callable, Iterator
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from msgspec import Meta

_KEYWORDS: Final = {
    "gt": "exclusiveMinimum",
    "ge": "minimum",
    "lt": "exclusiveMaximum",
    "le": "maximum",
    "multiple_of": "multipleOf",
    "pattern": "pattern",
}
_SIZES: Final = {"string": "Length", "array": "Items", "object": "Properties"}
_BOUNDS: Final = ("gt", "ge", "lt", "le", "multiple_of")
_LENGTHS: Final = ("min_length", "max_length")
_TEXTS: Final = ("pattern", "description")


def translated(hint: Any) -> Any:
    """Return a hint whose bounds are all such as msgspec knows."""
    if get_origin(hint) is Annotated:
        inner, *notes = get_args(hint)
        metas = (meta for note in notes for meta in _metas(note))
        return Annotated[(translated(inner), *metas)]
    return rebuilt(hint, translated)


def keywords(hint: Any, kind: object) -> dict[str, Any]:
    """Return what the bounds of a hint add to its JSON Schema, which is of that kind.

    A class keeps the hints of its fields as they were written: msgspec passes over those of others.
    """
    if get_origin(hint) is not Annotated:
        return {}
    metas = [meta for note in get_args(hint)[1:] for meta in _metas(note) if isinstance(meta, Meta)]
    said = {
        name: value
        for meta in metas
        for name in (*_KEYWORDS, *_LENGTHS)
        if (value := getattr(meta, name)) is not None
    }
    size = _SIZES.get(str(kind), "")
    return {
        _KEYWORDS.get(name) or f"{name.removesuffix('_length')}{size}": value
        for name, value in said.items()
        if name in _KEYWORDS or size
    }


def rebuilt(hint: Any, change: Callable[[Any], Any]) -> Any:
    """Return a hint with each of its arguments changed."""
    origin, inner = get_origin(hint), get_args(hint)
    if not inner or origin is Literal:
        return hint
    if origin is Annotated:
        return Annotated[(change(inner[0]), *inner[1:])]
    changed = tuple(each if isinstance(each, list) else change(each) for each in inner)
    if changed == inner:
        return hint
    return Union.__getitem__(changed) if origin in {Union, UnionType} else origin[changed]


def _metas(note: Any) -> Iterator[Any]:
    if isinstance(note, Meta):
        yield note
        return
    for each in getattr(note, "metadata", ()):
        yield from _metas(each)
    said: dict[str, Any] = {
        name: value
        for names, kinds in ((_BOUNDS, (int, float)), (_LENGTHS, int), (_TEXTS, str))
        for name in names
        if isinstance(value := getattr(note, name, None), kinds)
    }
    yield Meta(**said) if said and not isinstance(note, (str, type)) else note
