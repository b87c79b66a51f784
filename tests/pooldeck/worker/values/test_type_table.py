"""What goes out comes in again: each row of the table of types, both ways."""

import array
import datetime as dt
import enum
import inspect
import types
from collections import Counter, OrderedDict, UserDict, UserString, defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Address, IPv4Interface, IPv6Network
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pandas as pd
import pydantic
import pytest
from numpy.typing import NDArray

from pooldeck import register_type
from pooldeck.registered_types import REGISTERED
from pooldeck.worker.values import type_hints
from pooldeck.worker.values.bad_result import BadResult
from pooldeck.worker.values.results import encode
from pooldeck.worker.values.type_table import convert


class Colour(enum.Enum):
    RED = "red"


class Shade(enum.Enum):
    DARK = (0, 0, 0)
    HALF = 0.5
    SINCE = dt.date(2026, 1, 2)


@dataclass
class Address:
    street: str
    since: dt.date


class Reading(msgspec.Struct, rename="camel"):
    taken_at: dt.time


class Cat(msgspec.Struct, tag=True):
    born: dt.date


class Dog(msgspec.Struct, tag="dog", array_like=True):
    weight: Decimal


class Model(pydantic.BaseModel):
    at: dt.datetime = pydantic.Field(alias="takenAt")


class Pair(NamedTuple):
    left: int
    right: Path


class Point(TypedDict):
    x: int


def come_back(value: Any, annotation: Any) -> Any:
    """Return a value as it is after its way out as a result and in as an argument."""

    def function(given: Any) -> None: ...

    function.__annotations__["given"] = annotation
    (parameter,) = inspect.signature(function).parameters.values()
    hint = type_hints.resolve(function, parameter)
    return convert(msgspec.json.decode(encode(value, 10_000, 64)), hint)


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        (dt.timedelta(seconds=90, microseconds=5), dt.timedelta),
        (dt.timedelta(days=-1), dt.timedelta),
        (dt.datetime(2026, 1, 2, 3, 4), dt.datetime),  # noqa: DTZ001 - without a zone, too
        (dt.time(3, 4), dt.time),
        (b"hello", bytes),
        (bytearray(b"hello"), bytearray),
        (Decimal("1.10"), Decimal),
        (UUID(int=7), UUID),
        (PurePosixPath("a/b"), PurePosixPath),
        (Fraction(1, 3), Fraction),
        (1 + 2j, complex),
        (ZoneInfo("UTC"), ZoneInfo),
        (IPv4Address("10.0.0.1"), IPv4Address),
        (IPv4Interface("10.0.0.1/8"), IPv4Interface),
        (IPv6Network("::/8"), IPv6Network),
        (UserString("text"), UserString),
        (Colour.RED, Colour),
        (Shade.DARK, Shade),
        ([Shade.SINCE, None], list[Shade | None]),
        ({1, 2}, set[int]),
        ((1, "a"), tuple[int, str]),
        (deque([dt.date(2026, 1, 2)]), deque[dt.date]),
        (deque([1, 2]), deque),
        (OrderedDict(a=Decimal(1)), OrderedDict[str, Decimal]),
        (Counter("aab"), Counter[str]),
        (defaultdict(None, {1: Colour.RED}), defaultdict[int, Colour]),
        (Address("x", dt.date(2026, 1, 2)), Address),
        (Reading(dt.time(3, 4)), Reading),
        (Model(takenAt=dt.datetime(2026, 1, 2, tzinfo=dt.UTC)), Model),
        (Cat(dt.date(2026, 1, 2)), Cat | int),
        (Dog(Decimal("1.5")), Dog),
        (Pair(1, Path("a")), Pair),
        (Point(x=1), Point),
        ({7: 3}, dict[int, int]),
        ({1.5: 3}, dict[float, int]),
        ({dt.date(2026, 11, 1): 12}, dict[dt.date, int]),
        ({UUID(int=1): Colour.RED}, dict[UUID, Colour]),
        ({Colour.RED: 1}, dict[Colour, int]),
        ({Path("a/b"): {Decimal(1): 2}}, dict[Path, dict[Decimal, int]]),
        ([{Path("a"): 1}], list[dict[Path, int]] | None),
        (np.int64(3), np.int64),
        (np.float32(0.5), np.float32),
        (np.bool_(True), np.bool_),
        (np.datetime64("2026-01-02T03:04:05"), np.datetime64),
        (np.timedelta64(90, "s"), np.timedelta64),
        (pd.Timestamp("2026-01-02T03:04:05.000000001"), pd.Timestamp),
        (pd.Timedelta("90s"), pd.Timedelta),
        (pd.Period("2026-01", "M"), pd.Period),
    ],
    ids=repr,
)
def test_what_goes_out_comes_in_the_same(value: Any, annotation: Any) -> None:
    back = come_back(value, annotation)
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(
    "annotation", [deque[int] | int, dict[Path, int] | int, Shade | int, dict[Shade, int]]
)
def test_what_cannot_be_made_of_json_is_passed_as_it_comes(annotation: Any) -> None:
    assert come_back({"0.5": 1}, annotation) == {"0.5": 1}


@pytest.mark.parametrize(
    "value", [np.arange(6).reshape(2, 3), np.array([1.5, 2.5]), np.array(["a"]), np.array([True])]
)
def test_arrays_come_in_the_same(value: Any) -> None:
    assert (come_back(value, np.ndarray) == value).all()


def test_an_array_has_the_items_that_its_annotation_says() -> None:
    assert come_back(np.array([1, 2]), NDArray[np.float32]).dtype == np.float32


def test_frames_and_series_come_in_the_same() -> None:
    frame = pd.DataFrame({"shop": ["a", "b"], "sold": [1.5, None]})
    pd.testing.assert_frame_equal(come_back(frame, pd.DataFrame), frame)
    series = pd.Series([1, 2], index=["x", "y"])
    pd.testing.assert_series_equal(come_back(series, pd.Series), series)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (np.array([12, 7, 30]).sum(), "49"),
        (np.longdouble(1.5), "1.5"),
        (np.array([1.5], np.longdouble), "[1.5]"),
        (np.array(["2026-01-02T03:04:05"], "datetime64[ns]"), '["2026-01-02T03:04:05"]'),
        (np.array(["2026-01-02"], "datetime64[D]"), '["2026-01-02"]'),
        (np.timedelta64(90, "s"), '"PT90S"'),
        (np.datetime64("NaT"), "null"),
        (np.ma.array([1, 2], mask=[False, True]), "[1,null]"),
        (np.array([(1, 2.5)], dtype=[("a", int), ("b", float)]), "[[1,2.5]]"),
        ({np.int64(7): np.bool_(True)}, '{"7":true}'),
        (pd.NaT, "null"),
        (pd.NA, "null"),
        (
            pd.DataFrame({"a": [1, 2]}, index=["x", "y"]),
            '[{"index":"x","a":1},{"index":"y","a":2}]',
        ),
        (
            pd.DataFrame({"a": [pd.NaT, pd.Timestamp(0)]}),
            '[{"a":null},{"a":"1970-01-01T00:00:00"}]',
        ),
        (pd.Series(["a", "a"]).value_counts(), '{"a":2}'),
        (pd.Index([1, 2]), "[1,2]"),
        (pd.Categorical(["a", "b"]), '["a","b"]'),
        (array.array("i", [1, 2]), "[1,2]"),
        (types.MappingProxyType({"a": 1}), '{"a":1}'),
        (UserDict(a=1), '{"a":1}'),
    ],
)
def test_data_goes_out_as_its_reader_expects(value: Any, encoded: str) -> None:
    assert encode(value, 10_000, 64) == encoded.encode()


@pytest.mark.parametrize("method", ["to_dicts", "to_pylist", "to_list"])
def test_frames_of_polars_and_tables_of_arrow_go_out_as_rows(method: str) -> None:
    rows = [{"shop": "a", "since": dt.date(2026, 1, 2)}]
    names = {"__module__": "polars.series.series", method: lambda _self: rows}
    kind = type("Series" if method == "to_list" else "Frame", (), names)
    assert encode([kind()], 100, 8) == b'[[{"shop":"a","since":"2026-01-02"}]]'


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (np.array([[1.5], [np.inf]]), r"an infinity, which JSON does not have, at \[1\]\[0\]"),
        (pd.Series([1, 2], index=["x", "x"]), "its index has a label twice"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "two of its columns have the same name"),
        (pd.DataFrame({"a": [1]}, pd.Index(["x"], name="a")), "its index has the name of a column"),
        (pd.DataFrame({("a", 1): [1]}), r"a key that is \('a', 1\) \(tuple\)"),
    ],
)
def test_data_that_would_lose_something_is_refused(value: Any, reason: str) -> None:
    with pytest.raises(BadResult, match=reason):
        encode(value, 10_000, 64)


class Money:
    """A class of the user's that nothing here knows."""

    def __init__(self, cents: int) -> None:
        self.cents = cents

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and other.cents == self.cents

    def __hash__(self) -> int:
        return hash(self.cents)


class Discount(Money):
    """One of its kind."""


@pytest.fixture
def _registered() -> Iterator[None]:
    def from_text(text: str) -> Money:
        return Money(int(text.removesuffix(" ct")))

    def to_text(money: Money) -> str:
        return f"{money.cents // abs(money.cents) * abs(money.cents)} ct"

    schema = {"type": "string", "pattern": r"^\d+ ct$"}
    register_type(Money, encode=to_text, decode=from_text, schema=schema)
    yield
    del REGISTERED[Money]


@pytest.mark.usefixtures("_registered")
def test_a_type_of_ones_own_goes_out_and_comes_in_as_it_was_registered() -> None:
    assert encode([Money(3), {Money(4): Discount(5)}], 100, 8) == b'["3 ct",{"4 ct":"5 ct"}]'
    assert come_back([Money(3)], list[Money]) == [Money(3)]
    assert come_back({Money(3): 1}, dict[Money, int]) == {Money(3): 1}


def test_an_enumeration_that_goes_out_by_its_names_comes_in_by_them() -> None:
    register_type(Colour, encode=lambda colour: colour.name)
    try:
        assert come_back([Colour.RED], list[Colour]) == [Colour.RED]
    finally:
        del REGISTERED[Colour]


@pytest.mark.usefixtures("_registered")
def test_a_type_of_ones_own_that_cannot_be_encoded_is_a_bad_result() -> None:
    with pytest.raises(BadResult, match=r"Money: .*zero, at \.price") as caught:
        encode({"price": Money(0)}, 100, 8)
    assert caught.value.type == "ZeroDivisionError"


def test_only_classes_without_a_way_of_their_own_are_registered() -> None:
    with pytest.raises(TypeError, match="takes a class, not 3"):
        register_type(3, encode=str)  # type: ignore[arg-type]  # that is the point
    with pytest.raises(TypeError, match="OrderedDict cannot be registered: objects of str, int"):
        register_type(OrderedDict, encode=list)
    with pytest.raises(TypeError, match="Address cannot be registered with decode"):
        register_type(Address, encode=str, decode=lambda _: Address("", dt.date.min))
