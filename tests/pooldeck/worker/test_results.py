"""A function's return value as JSON, or the reason why it cannot be."""

import enum
import re
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pydantic
import pytest

from pooldeck.worker.results import BadResult, encode

MOST = 10_000
DEPTH = 64


class Colour(enum.Enum):
    RED = "red"


@dataclass
class Address:
    street: str
    since: date


class Reading(msgspec.Struct, rename="camel"):
    taken_at: time


class Model(pydantic.BaseModel):
    at: datetime


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
        (Model(at=datetime(2026, 1, 2, tzinfo=UTC)), '{"at":"2026-01-02T00:00:00Z"}'),
    ],
)
def test_results_become_json(value: Any, encoded: str) -> None:
    assert encode(value, MOST, DEPTH) == encoded.encode()


class Broken:
    """A result whose own code fails on the way out, and whose error cannot be shown either."""

    def model_dump(self, mode: str) -> Any:
        class Hostile(Exception):  # noqa: N818 - its name does not matter
            def __str__(self) -> str:
                raise SystemExit(mode)

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
        (object, "the result contains object, which JSON does not have"),
        (lambda: {"a": b"x"}, "the result contains bytes (decode them, or encode them as base64)"),
        (lambda: [Broken], "the result contains type, which JSON does not have"),
        (lambda: (n for n in [1]), "the result contains generator, which JSON does not have"),
        (lambda: {(1, 2): 3}, "keys must be str, int, float, bool or None, not tuple"),
        (lambda: float("nan"), "contains NaN or an infinity"),
        (lambda: {"a": [float("-inf")]}, "contains NaN or an infinity"),
        (lambda: "\ud83d", "a lone surrogate"),
        (lambda: 10**5000, "the result cannot be turned into JSON: Exceeds the limit"),
        (circular, "Circular reference"),
        (Broken, "cannot be turned into JSON: (its text cannot be shown"),
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
    with pytest.raises(BadResult, match="nested too deeply"):
        encode(value, MOST, DEPTH)
