"""JSON Schemas of annotations, so complete that nothing passes which could not be converted.

msgspec makes them, and leaves out what it cannot say for certain to everybody: formats of times
without a rule for their zone, of base64 and of keys. Here the same code reads what was checked.
"""

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterable
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

import msgspec
from msgspec import inspect as types

from pooldeck.worker.values.constraints import keywords, rebuilt
from pooldeck.worker.values.type_table import Keyed, Member, members, row_of

_REFERENCE: Final = "#/$defs/{name}"
_SHAPES: Final[dict[Any, Any]] = {deque: list, OrderedDict: dict, defaultdict: dict, Keyed: dict}
_ZONE: Final = {"pattern": r"(?:[zZ]|[+-]\d\d:?\d\d)$"}
_KEYS: Final[dict[type, dict[str, Any]]] = {
    types.IntType: {"format": "whole-number"},
    types.FloatType: {"format": "number"},
    types.DateType: {"format": "date"},
    types.DateTimeType: {"format": "date-time"},
    types.TimeType: {"format": "time"},
    types.TimeDeltaType: {"format": "duration"},
    types.UUIDType: {"format": "uuid"},
    types.DecimalType: {"format": "decimal"},
}


def schemas(hints: Iterable[Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return a JSON Schema for each hint, which must be supported, and the definitions in them."""
    definitions: dict[str, Any] = {}

    def describe(kind: type) -> dict[str, Any]:
        row = row_of(kind)
        if row is None or row.decode is None:
            raise NotImplementedError(f"{kind!r} cannot be made from JSON")
        if not hasattr(kind, "model_json_schema"):
            return dict(row.schema)
        schema: dict[str, Any] = kind.model_json_schema(ref_template="#/$defs/{model}")
        definitions.update(schema.pop("$defs", {}))
        return schema

    shapes = list(map(_shape, hints))
    found, components = msgspec.json.schema_components(
        shapes, schema_hook=describe, ref_template=_REFERENCE
    )
    completion = _Completion(components)
    for schema, info in zip(found, types.multi_type_info(shapes), strict=True):
        completion.complete(schema, info)
    return list(found), definitions | components


def _shape(hint: Any) -> Any:
    """Return a hint of the plain collections that come in for others."""
    origin, inner = get_origin(hint), tuple(map(_shape, get_args(hint)))
    if origin is Counter:
        return dict.__class_getitem__((*inner, int))
    if origin is Member:
        values = [value for value, _ in members(get_args(hint)[0])]
        return Annotated[Any, msgspec.Meta(extra_json_schema={"enum": values})]
    if origin is Keyed:
        return dict.__class_getitem__((_text_of_key(inner[0]), inner[1]))
    return _SHAPES[origin][inner] if origin in _SHAPES else rebuilt(hint, _shape)


def _text_of_key(kind: type) -> Any:
    row = row_of(kind)
    said = dict(row.schema) if row and row.schema.get("type") == "string" else {}
    return Annotated[str, msgspec.Meta(extra_json_schema=said)]


class _Completion:
    """Adds to schemas what msgspec leaves out of them."""

    def __init__(self, components: dict[str, Any]) -> None:
        self._components = components
        self._done: set[str] = set()

    def complete(self, schema: dict[str, Any], info: Any) -> None:
        """Add to a schema, and to all in it, what is known of its type."""
        while isinstance(info, types.Metadata):
            info = info.type
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            if name in self._components and name not in self._done:
                self._done.add(name)
                self._fields(self._components[name], info)
            return
        match info:
            case types.DateTimeType() | types.TimeType():
                _complete_time(schema, info)
            case types.BytesType() | types.ByteArrayType() | types.MemoryViewType():
                schema["format"] = "base64"
            case types.CollectionType() if "items" in schema:
                self.complete(schema["items"], info.item_type)
            case types.TupleType():
                self._each(schema.get("prefixItems", ()), info.item_types)
            case types.DictType():
                self._mapping(schema, info)
            case types.UnionType():
                self._union(schema, info)

    def _each(self, schemas: Iterable[dict[str, Any]], infos: Iterable[Any]) -> None:
        for schema, info in zip(schemas, infos, strict=False):
            self.complete(schema, info)

    def _fields(self, schema: dict[str, Any], info: Any) -> None:
        """Complete the fields of what has a name: a class with fields."""
        fields = getattr(info, "fields", ())
        by_name = schema.get("properties", {})
        ordered = schema.get("prefixItems", ())
        self._each(ordered, (field.type for field in fields))
        hints = _hints_of(info)
        for field in fields:
            if field.encode_name in by_name:
                found = by_name[field.encode_name]
                self.complete(found, field.type)
                found |= keywords(hints.get(field.name), found.get("type"))

    def _mapping(self, schema: dict[str, Any], info: types.DictType) -> None:
        key = info.key_type
        while isinstance(key, types.Metadata):
            key = key.type
        names = _KEYS.get(type(key))
        if isinstance(key, types.EnumType):
            names = {"enum": [_key(each.value) for each in key.cls]}
        elif isinstance(key, types.LiteralType):
            names = {"enum": [_key(each) for each in key.values]}
        elif isinstance(key, (types.TupleType, types.BoolType)):
            names = {"not": {"description": "text, and no key of this type can be made of it"}}
        if names:
            schema["propertyNames"] = dict(names)
        if isinstance(values := schema.get("additionalProperties"), dict):
            self.complete(values, info.value_type)

    def _union(self, schema: dict[str, Any], info: types.UnionType) -> None:
        """Complete the options in the order in which msgspec has them: those of tags apart."""
        options = [each for each in schema.get("anyOf", ()) if "discriminator" not in each]
        plain = [
            each for each in info.types if not isinstance(each, (types.StructType, types.NoneType))
        ]
        tagged = [each for each in info.types if isinstance(each, types.StructType)]
        self._each(options, plain)
        for each in tagged:
            name = each.cls.__name__
            if name in self._components:
                self.complete({"$ref": _REFERENCE.format(name=name)}, each)


def _hints_of(info: Any) -> dict[str, Any]:
    """Return the hints of a class with fields, as they were written."""
    try:
        return get_type_hints(info.cls, include_extras=True)
    except Exception:  # noqa: BLE001 - evaluating the user's annotations can raise anything
        return {}


def _complete_time(schema: dict[str, Any], info: types.DateTimeType | types.TimeType) -> None:
    schema["format"] = "date-time" if isinstance(info, types.DateTimeType) else "time"
    if info.tz is True:
        schema |= _ZONE
    elif info.tz is False:
        schema["not"] = dict(_ZONE)


def _key(value: Any) -> str:
    return value if isinstance(value, str) else str(value)
