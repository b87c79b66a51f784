"""A function's return value as JSON, or the reason why it cannot be."""

import enum
import re
import sqlite3
from collections import UserDict, deque, namedtuple
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any
from uuid import UUID

import msgspec
import pydantic
import pytest

from pooldeck.worker.values.bad_result import BadResult
from pooldeck.worker.values.results import encode

MOST = 10_000
DEPTH = 64


class Colour(enum.Enum):
    RED = "red"


@dataclass
class Address:
    street: str
    since: date


class Kind(enum.StrEnum):
    COLD = "cold"


class Reading(msgspec.Struct, rename="camel"):
    taken_at: time


class Model(pydantic.BaseModel):
    at: datetime


class Holding(pydantic.BaseModel):
    """A model with something in it of which pydantic knows nothing."""

    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)
    inner: MappingProxyType[str, Any]


def row_of_sqlite() -> sqlite3.Row:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.row_factory = sqlite3.Row
        row: sqlite3.Row = connection.execute("SELECT 1 AS a, 'x' AS b").fetchone()
        return row


Pair = namedtuple("Pair", "left right")  # noqa: PYI024 - this kind, too, has to work


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (None, "null"),
        (True, "true"),
        (0, "0"),
        (1.5, "1.5"),
        (2**100, "1267650600228229401496703205376"),
        ('ä "quoted"', '"ä \\"quoted\\""'),
        ({"a": [1, {}], "b": None}, '{"a":[1,{}],"b":null}'),
        ((1, 2), "[1,2]"),
        (Pair(1, 2), "[1,2]"),
        ({3}, "[3]"),
        (frozenset({3}), "[3]"),
        (date(2026, 1, 2), '"2026-01-02"'),
        (datetime(2026, 1, 2, 3, 4, tzinfo=UTC), '"2026-01-02T03:04:00+00:00"'),
        (Decimal("1.10"), '"1.10"'),
        (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (Colour.RED, '"red"'),
        (Path("a/b"), '"a/b"'),
        (Address("x", date(2026, 1, 2)), '{"street":"x","since":"2026-01-02"}'),
        (Reading(time(3, 4)), '{"takenAt":"03:04:00"}'),
        (timedelta(seconds=90), '"PT90S"'),
        (b"hello", '"aGVsbG8="'),
        (bytearray(b"hello"), '"aGVsbG8="'),
        (deque([1, 2]), "[1,2]"),
        (range(2), "[0,1]"),
        (MappingProxyType({"a": 1}), '{"a":1}'),
        (UserDict(a=1), '{"a":1}'),
        ({"a": 1}.keys(), '["a"]'),
        ({"a": 1}.items(), '[["a",1]]'),
        (Fraction(1, 3), '"1/3"'),
        (1 + 2j, '"1+2j"'),
        (ip_address("::1"), '"::1"'),
        (Kind.COLD, '"cold"'),
        (Model(at=datetime(2026, 1, 2, tzinfo=UTC)), '{"at":"2026-01-02T00:00:00Z"}'),
        (Holding(inner=MappingProxyType({"a": Path("b")})), '{"inner":{"a":"b"}}'),
        (SimpleNamespace(a=1), '{"a":1}'),
        (row_of_sqlite(), '{"a":1,"b":"x"}'),
    ],
)
def test_results_become_json(value: Any, encoded: str) -> None:
    assert encode(value, MOST, DEPTH) == encoded.encode()


class Broken:
    """A result whose own code fails on the way out, and whose error cannot be shown either."""

    def model_dump(self, mode: str, *, by_alias: bool) -> Any:
        class Hostile(Exception):  # noqa: N818 - its name does not matter
            def __str__(self) -> str:
                raise SystemExit(mode, by_alias)

        raise Hostile


def nested(depth: int) -> Any:
    """Return arrays and objects in each other, with brackets in their texts."""
    value: Any = []
    for level in range(depth - 1):
        value = [value, '"]\\['] if level % 2 else {"}[": value}
    return value


def circular() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (object, "the result contains object, which JSON does not have; return what matters"),
        (lambda: [Broken], "contains the class Broken, which JSON does not have, at [0]; return"),
        (lambda: (n for n in [1]), "the result contains generator, which JSON does not have; it"),
        (lambda: map(int, []), "contains map, which JSON does not have; it can be read only once"),
        (lambda: {(1, 2): 3}, "contains a key that is (1, 2) (tuple), which JSON does not have"),
        (lambda: {"a": {float("nan"): 1}}, "contains the key nan, which JSON does not have, at .a"),
        (lambda: float("nan"), "the result contains NaN, which JSON does not have; return None"),
        (lambda: [{"growth": 1}, {"growth": float("nan")}], "does not have, at [1].growth; return"),
        (
            lambda: {"a b": [float("-inf")]},
            "contains an infinity, which JSON does not have, at ['a",
        ),
        (lambda: ["\ud83d"], "that UTF-8 cannot hold (a lone surrogate), at [0]; use .encode("),
        (lambda: [{"\ud83d": 1}], "UTF-8 cannot hold (a lone surrogate), at [0]; use .encode("),
        (lambda: [10**5000], "the result has a whole number of too many digits, at [0]"),
        (circular, "the result contains itself, at [0]"),
        (
            lambda: ValueError("x"),
            "the result contains ValueError, which JSON does not have; raise",
        ),
        (lambda: {"at": Broken()}, "Broken: (its text cannot be shown: __str__ raised SystemExit)"),
    ],
)
def test_what_is_no_json_is_a_bad_result_with_its_reason(
    make: Callable[[], Any], reason: str
) -> None:
    with pytest.raises(BadResult, match=re.escape(reason)):
        encode(make(), MOST, DEPTH)


def test_a_result_may_be_as_large_as_the_limit() -> None:
    assert len(encode("é" * 49, 100, DEPTH)) == 100
    with pytest.raises(BadResult, match="the result has 102 bytes, over 100"):
        encode("é" * 50, 100, DEPTH)


@pytest.mark.parametrize("depth", [1, 2, 9, 10, 11])
def test_a_result_may_be_as_deep_as_the_limit(depth: int) -> None:
    value = nested(depth)
    assert msgspec.json.decode(encode(value, MOST, 11)) == value


@pytest.mark.parametrize("depth", [12, 13, 500])
def test_a_deeper_result_is_refused(depth: int) -> None:
    with pytest.raises(BadResult, match="nested more than 11 levels deep"):
        encode(nested(depth), MOST, 11)


def test_many_brackets_side_by_side_are_not_deep() -> None:
    value = [[[], {}], "[[[", {"a": [], "b": {}}] * 100
    assert msgspec.json.decode(encode(value, MOST, 3)) == value


def test_a_result_that_is_far_too_deep_is_refused() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(BadResult, match=r"nested more than 64 levels deep, at (\[0\]){6} \.\.\. "):
        encode(value, MOST, DEPTH)


def said_of(value: Any) -> list[str]:
    said: list[str] = []
    encode(value, MOST, DEPTH, said.append)
    return said


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ({7: 3}, '{"7":3}'),
        ([{date(2026, 11, 1): 12}], '[{"2026-11-01":12}]'),
        ({UUID(int=1): 1}, '{"00000000-0000-0000-0000-000000000001":1}'),
        ({Colour.RED: 1, Path("a/b"): 2}, '{"red":1,"a/b":2}'),
        ({Decimal("1.50"): 1, 2.5: 2, True: 3, None: 4}, '{"1.50":1,"2.5":2,"true":3,"null":4}'),
        (UserDict({1: 2}), '{"1":2}'),
    ],
)
def test_keys_that_are_no_text_become_text_and_this_is_said(value: Any, encoded: str) -> None:
    assert encode(value, MOST, DEPTH) == encoded.encode()
    (said,) = said_of(value)
    assert said.startswith("keys of the result have become text, as JSON has no others: ")


def test_of_many_keys_some_are_named() -> None:
    (said,) = said_of([dict.fromkeys(range(500), "x")] * 2)
    assert said.endswith(": 0 (int), 1 (int), 2 (int) and 997 more")


@pytest.mark.parametrize("key", ["7", "1.5", "-3", "true", "null", 'say "7":'])
def test_of_keys_that_only_look_like_numbers_nothing_is_said(key: str) -> None:
    assert said_of([{key: 1}, f'"{key}":']) == []


@pytest.mark.parametrize(
    "value", [{1: "a", "1": "b"}, {date(2026, 1, 2): 1, "2026-01-02": 2}, {None: 1, "null": 2}]
)
def test_no_value_is_lost_because_two_keys_become_one_text(value: Any) -> None:
    with pytest.raises(BadResult, match=r"two keys that become one text: .* and .*, at \.stock; "):
        encode({"stock": value}, MOST, DEPTH)
