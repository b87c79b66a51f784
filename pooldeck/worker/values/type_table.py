"""The table of types: what goes out in a result and comes in as an argument beyond plain JSON.

A row says both ways for some classes. It is found by their names, so that nothing is imported which
the user's code does not use. What comes in, and has no `decode` here, is made by msgspec.
"""

from abc import ABC
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, Generic, NamedTuple, TypeVar, get_args, get_origin

import msgspec

from pooldeck.registered_types import REGISTERED, RegisteredType
from pooldeck.worker.values import data_types
from pooldeck.worker.values import substitutes as out

Encode = Callable[[Any], Any]
Decode = Callable[[Any, Any], Any]
"""Makes an object of an annotation, a class or a generic alias of one, and a JSON value."""

_TEXT: Final = {"type": "string"}
_ARRAY: Final = {"type": "array"}
_OBJECT: Final = {"type": "object"}
_ROWS: Final = {"type": ["array", "object"]}


E = TypeVar("E")
K = TypeVar("K")
V = TypeVar("V")


class Row(NamedTuple):
    """How objects of some classes go out and come in.

    Attributes:
        names: The classes, and with them their subclasses, or an attribute that they have.
        encode: Returns what stands for an object; None: it is refused.
        decode: Makes an object, where msgspec does not.
        schema: JSON Schema of what `decode` takes.
        instead: What to do instead, where it is refused.
    """

    names: tuple[str, ...]
    encode: Encode | None
    decode: Decode | None = None
    schema: Mapping[str, Any] = MappingProxyType({})
    instead: str = ""


def _made(kind: Any, value: Any) -> Any:
    return kind(value)


def _collected(plain: Any) -> Decode:
    """Return what makes a collection of a plain one, whose items are converted first."""

    def decode(kind: Any, value: Any) -> Any:
        inner = get_args(kind)
        items = plain[inner] if inner else plain
        return (get_origin(kind) or kind)(convert(value, items))

    return decode


def _counted(kind: Any, value: Any) -> Any:
    inner = get_args(kind)
    plain: Any = dict
    return (get_origin(kind) or kind)(convert(value, plain[inner[0], int] if inner else plain))


def _with_default(kind: Any, value: Any) -> Any:
    inner = get_args(kind)
    plain: Any = dict
    return (get_origin(kind) or kind)(None, convert(value, plain[inner] if inner else plain))


class Keyed(ABC, Generic[K, V]):
    """A dictionary whose keys are made by the table: msgspec makes only those that it knows."""


Keyed.register(dict)


def _keyed(kind: Any, value: Any) -> Any:
    key, values = get_args(kind)
    plain: Any = dict
    return {
        _construct(key, each): made for each, made in convert(value, plain[str, values]).items()
    }


def _spanned(kind: Any, value: Any) -> Any:
    return kind(convert(value, timedelta))


class Member(ABC, Generic[E]):
    """A member of an enumeration that msgspec does not know by the value that goes out for it."""


Member.register(Enum)


def members(kind: Iterable[E]) -> list[tuple[Any, E]]:
    """Return each member of an enumeration with the JSON value that it goes out as."""
    return [
        (msgspec.json.decode(msgspec.json.encode(_sent(each), enc_hook=_sent)), each)
        for each in kind
    ]


def _sent(value: Any) -> Any:
    row = row_of(type(value))
    if row is None or row.encode is None:
        raise NotImplementedError(f"{value!r} cannot be turned into JSON")
    return row.encode(value)


def _member(kind: Any, value: Any) -> Any:
    (enumeration,) = get_args(kind)
    for sent, each in members(enumeration):
        if sent == value and isinstance(sent, bool) is isinstance(value, bool):
            return each
    raise ValueError(f"{value!r} is not a value of {enumeration.__qualname__}")


def _modelled(kind: Any, value: Any) -> Any:
    return kind.model_validate(value)


ROWS: Final = (
    Row(("datetime.date", "datetime.time"), out.isoformat),
    Row(("datetime.timedelta",), out.duration),
    Row(("builtins.bytes", "builtins.bytearray", "builtins.memoryview"), out.base64_text),
    Row(("decimal.Decimal", "uuid.UUID"), str),
    Row(("pathlib.PurePath",), str, _made, _TEXT | {"format": "path"}),
    Row(("collections.UserString",), str, _made, _TEXT),
    Row(("fractions.Fraction",), str, _made, _TEXT | {"format": "fraction"}),
    Row(("builtins.complex",), out.complex_text, _made, _TEXT | {"format": "complex"}),
    Row(("zoneinfo.ZoneInfo",), str, _made, _TEXT | {"format": "time-zone"}),
    Row(("ipaddress.IPv4Address",), str, _made, _TEXT | {"format": "ipv4"}),
    Row(("ipaddress.IPv6Address",), str, _made, _TEXT | {"format": "ipv6"}),
    Row(("ipaddress.IPv4Network",), str, _made, _TEXT | {"format": "ipv4-network"}),
    Row(("ipaddress.IPv6Network",), str, _made, _TEXT | {"format": "ipv6-network"}),
    Row(("ipaddress.IPv4Interface",), str, _made, _TEXT | {"format": "ipv4-interface"}),
    Row(("ipaddress.IPv6Interface",), str, _made, _TEXT | {"format": "ipv6-interface"}),
    Row(("enum.Enum",), out.enum_value),
    Row(("builtins.set", "builtins.frozenset", "builtins.range", "array.array"), list),
    Row(("collections.deque",), list, _collected(list), _ARRAY),
    Row(("collections.OrderedDict",), dict, _collected(dict), _OBJECT),
    Row(("collections.Counter",), dict, _counted, _OBJECT),
    Row(("collections.defaultdict",), dict, _with_default, _OBJECT),
    Row((f"{__name__}.Keyed",), None, _keyed, _OBJECT),
    Row((f"{__name__}.Member",), None, _member),
    Row(("builtins.mappingproxy", "sqlite3.Row"), dict),
    Row(("types.SimpleNamespace",), vars),
    Row(("builtins.dict_keys", "builtins.dict_values", "builtins.dict_items"), list),
    Row(("msgspec.Struct",), out.struct),
    Row(("pandas.NaTType", "pandas.NAType"), out.nothing),
    Row(("pandas.Timestamp",), out.isoformat, _made, _TEXT | {"format": "moment"}),
    Row(("pandas.Timedelta",), out.duration, _made, _TEXT | {"format": "duration"}),
    Row(("pandas.Interval",), str),
    Row(("pandas.Period",), str, _made, _TEXT | {"examples": ["2026-01"]}),
    Row(("pandas.DataFrame",), data_types.records, _made, _ROWS),
    Row(("pandas.Series",), data_types.by_index, _made, _ROWS),
    Row(("pandas.Index", "pandas.ExtensionArray"), out.to_list, _made, _ARRAY),
    Row(("numpy.ndarray",), data_types.nested_lists, data_types.array, _ARRAY),
    Row(("numpy.datetime64",), data_types.moment, _made, _TEXT | {"format": "moment"}),
    Row(("numpy.timedelta64",), data_types.moment, _spanned, _TEXT | {"format": "duration"}),
    Row(("numpy.bool", "numpy.bool_"), out.item, _made, {"type": "boolean"}),
    Row(("numpy.integer",), out.item, _made, {"type": "integer"}),
    Row(("numpy.floating",), float, _made, {"type": "number"}),
    Row(("numpy.complexfloating",), out.item, _made, _TEXT),
    Row(("numpy.generic",), out.item),
    Row(("polars.series.series.Series",), out.polars_list),
    Row(("to_dicts",), out.polars_rows),
    Row(("to_pylist",), out.arrow_list),
    Row(("as_py",), out.arrow_scalar),
    Row(("model_dump",), out.model, _modelled),
    Row(("__dataclass_fields__",), out.dataclass),
    Row(("__attrs_attrs__",), out.attrs),
    Row(("collections.abc.Mapping",), dict),
    Row(("collections.abc.Set", "collections.abc.Sequence"), list),
    Row(("__await__",), None, instead="await it, and return what it gives"),
    Row(("__next__",), None, instead="it can be read only once: return list(...) of it"),
    Row(("builtins.type", "builtins.function"), None, instead="return its name"),
    Row(("builtins.BaseException",), None, instead="raise it, or return str(...) of it"),
)
"""What is not here, and no plain JSON, is refused."""

_BY_NAME: Final = {name: row for row in ROWS for name in row.names if "." in name}
_BY_ATTRIBUTE: Final = [(name, row) for row in ROWS for name in row.names if "." not in name]


def row_of(kind: type) -> Row | None:
    """Return what is said of a class, of the nearest of its bases where of itself nothing is."""
    if REGISTERED:
        known = next((REGISTERED[base] for base in kind.__mro__ if base in REGISTERED), None)
        if known is not None:
            return _registered(known)
    return _row_of(kind)


def _registered(known: RegisteredType) -> Row:
    decode = known.decode
    making: Decode | None = None if decode is None else lambda _kind, value: decode(value)
    return Row((), known.encode, making, known.schema)


def _found(kind: type) -> Row | None:
    for base in kind.__mro__:
        if row := _BY_NAME.get(_name(base)):
            return row
    return next((row for name, row in _BY_ATTRIBUTE if hasattr(kind, name)), None)


_row_of: Final[Callable[[type], Row | None]] = lru_cache(maxsize=1_000)(_found)


def _name(kind: type) -> str:
    """Return the qualified name of a class, of pandas' the one by which users know it."""
    module = kind.__module__
    package = "pandas" if module.startswith("pandas.") else module
    return f"{package}.{kind.__qualname__}"


def convert(value: Any, hint: Any) -> Any:
    """Return a JSON value as an object of a type, which may raise anything if it does not fit."""
    return msgspec.convert(value, hint, str_keys=True, dec_hook=_construct)


def _construct(kind: Any, value: Any) -> Any:
    row = row_of(get_origin(kind) or kind)
    if row is None or row.decode is None:
        raise NotImplementedError(f"{kind!r} cannot be made from JSON")
    return row.decode(kind, value)
