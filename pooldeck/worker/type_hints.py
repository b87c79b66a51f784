"""Annotations: resolved, described as JSON Schema, and used to convert JSON values.

msgspec does the work for the types it knows; its hooks add paths and pydantic models. Those are
recognised by their methods, so that pydantic is needed only by users who have it. An annotation
that none of them understands counts as `Any`: every value is accepted and passed as it is.
"""

import inspect
from collections.abc import Callable, Iterable
from pathlib import PurePath
from types import NoneType, SimpleNamespace, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

_REFERENCE = "#/$defs/{name}"
_PLAIN = frozenset({int, str, float, bool, list, dict, NoneType, Any})


def resolve(function: Callable[..., Any], parameter: inspect.Parameter) -> Any:
    """Return the parameter's annotation as a type, `Any` where there is none that is understood."""
    if parameter.annotation is parameter.empty:
        return Any
    try:
        hint = _evaluated(function, parameter)
        if parameter.default is None:
            hint = hint | None
        msgspec.msgpack.encode(schemas([hint]))  # it has to fit into a frame as well
    except Exception:  # noqa: BLE001 - evaluating the user's annotations can raise anything
        return Any
    return hint


def _evaluated(function: Callable[..., Any], parameter: inspect.Parameter) -> Any:
    """Evaluate one annotation alone, so that one unknown name does not spoil the others."""
    holder = SimpleNamespace(__annotations__={parameter.name: parameter.annotation})
    namespace = getattr(inspect.unwrap(function), "__globals__", {})
    return get_type_hints(holder, namespace, include_extras=True)[parameter.name]


def schemas(hints: Iterable[Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return a JSON Schema for each hint, which must be supported, and the definitions in them."""
    definitions: dict[str, Any] = {}

    def describe(kind: type) -> dict[str, Any]:
        if issubclass(kind, PurePath):
            return {"type": "string", "format": "path"}
        schema: dict[str, Any] = _model(kind).model_json_schema(ref_template="#/$defs/{model}")
        definitions.update(schema.pop("$defs", {}))
        return schema

    found, components = msgspec.json.schema_components(
        hints, schema_hook=describe, ref_template=_REFERENCE
    )
    return list(found), definitions | components


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


def convert(value: Any, hint: Any) -> Any:
    """Return a JSON value as an object of a type, which may raise anything if it does not fit."""
    return msgspec.convert(value, hint, str_keys=True, dec_hook=_construct)


def _construct(kind: type, value: Any) -> Any:
    if issubclass(kind, PurePath):
        return kind(value)
    return _model(kind).model_validate(value)


def _model(kind: type) -> Any:
    """Return `kind` if it is a pydantic model; if not, refuse it as msgspec's hooks shall."""
    if hasattr(kind, "model_json_schema") and hasattr(kind, "model_validate"):
        return kind
    raise NotImplementedError(f"{kind!r} cannot be made from JSON")
