"""`make types`: makes the tables of docs/types.md by running each of their rows."""

import array
import enum
import inspect
import ipaddress
import re
import types
import zoneinfo
from collections import Counter, OrderedDict, UserDict, UserString, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pandas as pd
import pydantic

from bench import documents
from pooldeck.protocol import Limits
from pooldeck.worker.values import type_hints
from pooldeck.worker.values.bad_result import BadResult
from pooldeck.worker.values.results import encode
from pooldeck.worker.values.type_table import convert
from tests import ROOT

PAGE: Final = ROOT / "docs" / "types.md"


class Colour(enum.Enum):
    RED = "red"


class Share(enum.Enum):
    HALF = 0.5
    NOBODY_KNOWS = None


@dataclass
class Address:
    street: str
    since: date


class Pair(NamedTuple):
    left: int
    right: str


class Point(TypedDict):
    x: int


class Reading(msgspec.Struct):
    at: time


class Order(pydantic.BaseModel):
    at: date


_NAMES: Final = {
    each.__name__: each
    for each in (
        *(
            Colour,
            Share,
            Address,
            Pair,
            Point,
            Reading,
            Order,
            Counter,
            OrderedDict,
            UserDict,
            UserString,
        ),
        *(defaultdict, deque, date, datetime, time, timedelta, Decimal, Fraction, Path, UUID),
        *(ZoneInfo, ip_address, ip_network, array, ipaddress, types, zoneinfo, np, pd),
    )
} | {"Literal": Literal}

BOTH_WAYS: Final = {
    "The standard library": (
        ("int", "7"),
        ("float", "0.5"),
        ("str", "'text'"),
        ("bool", "True"),
        ("None", "None"),
        ("list[int]", "[1, 2]"),
        ("dict[str, int]", "{'a': 1}"),
        ("tuple[int, str]", "(1, 'a')"),
        ("set[int]", "{1, 2}"),
        ("frozenset[int]", "frozenset({1})"),
        ("deque[date]", "deque([date(2026, 11, 1)])"),
        ("OrderedDict[str, int]", "OrderedDict(a=1)"),
        ("defaultdict[str, int]", "defaultdict(None, a=1)"),
        ("Counter[str]", "Counter('aab')"),
        ("datetime", "datetime(2026, 11, 1, 9, 30)"),
        ("date", "date(2026, 11, 1)"),
        ("time", "time(9, 30)"),
        ("timedelta", "timedelta(seconds=90)"),
        ("bytes", "b'hello'"),
        ("bytearray", "bytearray(b'hello')"),
        ("Decimal", "Decimal('1.10')"),
        ("Fraction", "Fraction(1, 3)"),
        ("complex", "1 + 2j"),
        ("UUID", "UUID(int=7)"),
        ("Path", "Path('folder/file')"),
        ("ZoneInfo", "ZoneInfo('UTC')"),
        ("ipaddress.IPv4Address", "ip_address('10.0.0.1')"),
        ("ipaddress.IPv6Network", "ip_network('::/8')"),
        ("UserString", "UserString('text')"),
        ("Colour", "Colour.RED"),
        ("Share", "Share.HALF"),
        ("Literal['a', 'b']", "'a'"),
    ),
    "Classes with fields": (
        ("Address", "Address('High Street', date(2026, 11, 1))"),
        ("Pair", "Pair(1, 'a')"),
        ("Point", "Point(x=1)"),
        ("Reading", "Reading(time(9, 30))"),
        ("Order", "Order(at=date(2026, 11, 1))"),
    ),
    "Numpy and pandas": (
        ("numpy.int64", "numpy.int64(49)"),
        ("numpy.float32", "numpy.float32(0.5)"),
        ("numpy.bool_", "numpy.bool_(True)"),
        ("numpy.datetime64", "numpy.datetime64('2026-11-01')"),
        ("numpy.timedelta64", "numpy.timedelta64(90_000_000, 'us')"),
        ("numpy.ndarray", "numpy.array([[1, 2], [3, 4]])"),
        ("pandas.DataFrame", "pandas.DataFrame({'shop': ['a', 'b'], 'sold': [1, 2]})"),
        ("pandas.Series", "pandas.Series([1, 2], index=['x', 'y'])"),
        ("pandas.Timestamp", "pandas.Timestamp('2026-11-01 09:30')"),
        ("pandas.Timedelta", "pandas.Timedelta('90s')"),
        ("pandas.Period", "pandas.Period('2026-11', 'M')"),
    ),
    "Keys": (
        ("dict[int, int]", "{7: 3}"),
        ("dict[float, int]", "{0.5: 3}"),
        ("dict[date, int]", "{date(2026, 11, 1): 12}"),
        ("dict[UUID, int]", "{UUID(int=7): 1}"),
        ("dict[Colour, int]", "{Colour.RED: 1}"),
        ("dict[Path, int]", "{Path('a/b'): 1}"),
        ("dict[Decimal, int]", "{Decimal('1.10'): 1}"),
    ),
}
OUT_ONLY: Final = (
    "range(3)",
    "{'a': 1}.keys()",
    "{'a': 1}.items()",
    "types.MappingProxyType({'a': 1})",
    "UserDict(a=1)",
    "types.SimpleNamespace(a=1)",
    "array.array('i', [1, 2])",
    "numpy.array(['2026-11-01T09:30'], 'datetime64[ns]')",
    "numpy.ma.array([1, 2], mask=[False, True])",
    "pandas.NaT",
    "pandas.Interval(0, 1)",
    "pandas.Series([1.5, None])",
    "pandas.DataFrame({'sold': [1, 2]}, index=['a', 'b'])",
    "pandas.Index([1, 2])",
    "{numpy.int64(7): 3, None: 0, True: 1}",
)
REFUSED: Final = (
    "[{'growth': 0.04}, {'growth': float('nan')}]",
    "numpy.array([1.5, float('inf')])",
    "{('north', '2026-11'): 12}",
    "{1: 'a', '1': 'b'}",
    "{float('nan'): 1}",
    "(row for row in [1])",
    "{'rows': map(str, [1])}",
    "[object()]",
    "Colour",
    "ValueError('no')",
    "'\\ud800'",
    "10**5000",
    "'x' * 11_000_000",
    "pandas.Series([1, 2], index=['x', 'x'])",
    "pandas.DataFrame([[1, 2]], columns=['a', 'a'])",
    "pandas.DataFrame({'a': [1]}, index=pandas.Index(['x'], name='a'))",
)


def tables() -> str:
    """Return the part of the page that is made."""
    head = ("annotation", "a value", "as JSON", "comes in")
    parts = [_part(title, head, map(_both, rows)) for title, rows in BOTH_WAYS.items()]
    parts.append(_part("Out only", ("a value", "as JSON"), map(_out, OUT_ONLY)))
    parts.append(_part("Refused", ("a value", "what the error says"), map(_refusal, REFUSED)))
    return "\n".join(parts)


def _part(title: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return f"## {title}\n\n{documents.table(head, rows)}\n"


def _both(row: tuple[str, str]) -> tuple[str, ...]:
    annotation, source = row
    value = _evaluated(source)
    encoded = _encoded(value)

    def function(given: Any) -> None: ...

    function.__annotations__["given"] = _evaluated(annotation)
    hint = type_hints.resolve(function, inspect.signature(function).parameters["given"])
    back = convert(msgspec.json.decode(encoded), hint)
    is_same = type(back) is type(value) and repr(back) == repr(value)
    return _code(annotation), _code(source), _code(encoded), "the same" if is_same else repr(back)


def _out(source: str) -> tuple[str, ...]:
    return _code(source), _code(_encoded(_evaluated(source)))


def _refusal(source: str) -> tuple[str, ...]:
    try:
        return _code(source), _code(_encoded(_evaluated(source)))
    except BadResult as error:
        message = re.sub(r"\b\w+\.support\.typed\.", "", str(error))
        return _code(source), message.replace("|", "\\|").replace("<", "&lt;")


def _evaluated(source: str) -> Any:
    return eval(source, dict(_NAMES))


def _encoded(value: Any) -> str:
    limits = Limits()
    return encode(value, limits.result_bytes, limits.depth).decode()


def _code(text: str) -> str:
    return f"`{text.replace('|', chr(92) + '|')}`"


def write_tables(page: Path) -> None:
    """Make the tables of a page anew."""
    documents.write(page, "types", tables())


if __name__ == "__main__":
    write_tables(PAGE)
