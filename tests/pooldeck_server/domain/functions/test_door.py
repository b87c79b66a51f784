"""What workers could not convert is refused before it is stored, and examples are not."""

import datetime as dt
import enum
import inspect
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Address, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

import annotated_types
import msgspec
import numpy as np
import pandas as pd
import pydantic
import pydantic.dataclasses
import pytest

from pooldeck.functions import FunctionSpec, Options
from pooldeck.worker.functions.signatures import describe
from pooldeck.worker.values import type_hints
from pooldeck.worker.values.type_table import convert
from pooldeck_server.domain.errors import BadArguments
from pooldeck_server.domain.functions.examples import example, fits
from pooldeck_server.domain.functions.signature import Signature
from pooldeck_server.domain.functions.validators import validator_for


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Share(enum.Enum):
    HALF = 0.5
    ALL = 1


@dataclass
class Address:
    street: str
    since: dt.datetime
    key: bytes = b""
    tags: list[str] = field(default_factory=list)


@dataclass
class Tree:
    name: str
    left: "Tree | None" = None
    branches: list["Tree"] = field(default_factory=list)


class Cat(msgspec.Struct, tag=True):
    born: dt.time


class Dog(msgspec.Struct, tag=True):
    weight: Annotated[float, msgspec.Meta(gt=0, lt=0.5)]


class Point(TypedDict):
    x: int
    at: dt.datetime


class Pair(NamedTuple):
    left: Decimal
    right: dt.timedelta


@dataclass
class Bounded:
    number: Annotated[int, pydantic.Field(ge=1)]
    names: Annotated[list[str], annotated_types.Len(1)]


@pydantic.dataclasses.dataclass
class Checked:
    code: Annotated[str, pydantic.Field(max_length=3)]


class Inner(pydantic.BaseModel):
    at: dt.datetime
    code: Annotated[str, pydantic.Field(min_length=3, pattern="^[A-Z]+$")]


class Model(pydantic.BaseModel):
    inner: Inner
    share: Annotated[float, pydantic.Field(gt=0, lt=1)]
    colour: Colour
    price: Decimal = Decimal(1)


ANNOTATIONS = [
    dt.datetime,
    dt.date,
    dt.time,
    dt.timedelta,
    bytes,
    bytearray,
    UUID,
    Decimal,
    Path,
    Fraction,
    complex,
    ZoneInfo,
    IPv4Address,
    IPv6Network,
    Colour,
    Share,
    list[Share] | None,
    Literal["a", 3],
    Address,
    list[Address],
    Tree,
    Bounded,
    Checked,
    Cat | Dog,
    Cat | Dog | None,
    dict[str, Cat] | None,
    Point,
    Pair,
    Model,
    list[Model] | None,
    tuple[int, dt.date],
    set[UUID],
    deque[dt.date],
    OrderedDict[str, Decimal],
    Counter[str],
    dict[int, dt.date],
    dict[dt.date, int],
    dict[Colour, Path],
    dict[UUID, list[bytes]],
    dict[float, int],
    dict[Decimal, int],
    dict[Fraction, int],
    Annotated[int, pydantic.Field(ge=10, multiple_of=7)],
    Annotated[float, annotated_types.Interval(gt=0, le=0.1)],
    Annotated[list[int], annotated_types.Len(2, 3)],
    Annotated[str, pydantic.Field(max_length=2)],
    Annotated[str, msgspec.Meta(min_length=30)],
    Annotated[dt.datetime, msgspec.Meta(tz=True)],
    list[Annotated[int, pydantic.Field(lt=-5)]],
    np.int64,
    np.ndarray,
    np.datetime64,
    np.timedelta64,
    pd.Timestamp,
    pd.Period,
    pd.DataFrame,
    int | None,
    float | str,
    list,
    dict,
    Any,
]


def spec_of(annotation: Any) -> FunctionSpec:
    def function(value: Any) -> None: ...

    function.__annotations__["value"] = annotation
    signature = inspect.signature(function)
    types = {p.name: type_hints.resolve(function, p) for p in signature.parameters.values()}
    return describe(function, signature, types, Options(), name="f", module="m")


def hint_of(annotation: Any) -> Any:
    def function(value: Any) -> None: ...

    function.__annotations__["value"] = annotation
    return type_hints.resolve(function, inspect.signature(function).parameters["value"])


@pytest.mark.parametrize("annotation", ANNOTATIONS, ids=str)
def test_the_example_of_an_annotation_passes_the_door_and_can_be_converted(annotation: Any) -> None:
    spec = spec_of(annotation)
    definitions = spec.schema.get("$defs", {})
    value = example(spec.parameters[0].schema, definitions)
    assert fits(value, spec.parameters[0].schema, definitions)
    Signature(spec).check([value], {})
    if annotation is not Any:
        convert(value, hint_of(annotation))


GOOD_ADDRESS = {"street": "a", "since": "2026-01-02T03:04:05"}
GOOD_MODEL = {
    "inner": {"at": "2026-01-02T03:04:05Z", "code": "ABC"},
    "share": 0.5,
    "colour": "red",
}


@pytest.mark.parametrize(
    ("annotation", "value", "complaint"),
    [
        (dt.datetime, "yesterday", '"yesterday" is not a date and a time, as 2026-01-31T09:30:00Z'),
        (dt.date, "2026-02-30", '"2026-02-30" is not a date, as 2026-01-31'),
        (dt.time, "25:00:00", '"25:00:00" is not a time of day'),
        (dt.timedelta, "90 s", '"90 s" is not a duration, as PT90S'),
        (bytes, "hello!", '"hello!" is not base64, as aGVsbG8='),
        (UUID, "abc", '"abc" is not a UUID'),
        (Decimal, "1,10", '"1,10" is not a decimal number, as 1.10'),
        (Fraction, "1/0", '"1/0" is not a fraction'),
        (complex, "one", '"one" is not a complex number'),
        (ZoneInfo, "Mars/Olympus", '"Mars/Olympus" is not a time zone'),
        (IPv4Address, "10.0.0.300", '"10.0.0.300" is not a'),
        (Colour, "green", '"green" is not one of'),
        (Share, 0.7, "0.7 is not one of 0.5, 1"),
        (dict[dt.date, int], {"soon": 1}, '"soon" is not a date'),
        (dict[int, int], {"a": 1}, '"a" is not a whole number'),
        (dict[Colour, int], {"green": 1}, "green"),
        (dict[Fraction, int], {"half": 1}, '"half" is not a fraction'),
        (dict[ZoneInfo, int] | None, {"Mars/Olympus": 1}, '"Mars/Olympus" is not a time zone'),
        (dt.date | None, "soon", '"soon" is not a date, as'),
        (dt.date | int, "soon", '"soon" is not a date, as'),
        (Annotated[int, pydantic.Field(ge=1)] | None, 0, "0 is less than the minimum of 1"),
        (list[bytes], ["aGVsbG8=", "?"], r'value\[1\]: "\?" is not base64'),
        (deque[dt.date], ["soon"], r'value\[0\]: "soon" is not a date'),
        (Address, GOOD_ADDRESS | {"since": "soon"}, r'value\["since"\]: "soon" is not a date and'),
        (Address, GOOD_ADDRESS | {"key": "?"}, r'value\["key"\]: "\?" is not base64'),
        (Tree, {"name": "a", "left": {"name": 3}}, "3 is not a string"),
        (Bounded, {"number": 0, "names": ["a"]}, "0 is less than the minimum of 1"),
        (Bounded, {"number": 1, "names": []}, "names"),
        (list[Checked], [{"code": "abcd"}], "abcd"),
        (Point, {"x": 1, "at": "soon"}, "soon"),
        (Pair, ["1.1", "soon"], "soon"),
        (Cat | Dog, {"type": "Cat", "born": "noon"}, '"noon" is not a time of'),
        (Model, GOOD_MODEL | {"share": 1}, "share"),
        (Model, GOOD_MODEL | {"inner": {"at": "soon", "code": "ABC"}}, "soon"),
        (Model, GOOD_MODEL | {"inner": {"at": "2026-01-02T03:04:05Z", "code": "abc"}}, "abc"),
        (Annotated[int, pydantic.Field(ge=1)], 0, "0 is less than the minimum of 1"),
        (Annotated[float, annotated_types.Interval(gt=0, le=1)], 2, "2 is greater"),
        (Annotated[str, annotated_types.Len(2, 3)], "abcd", "abcd"),
        (list[Annotated[str, pydantic.Field(pattern=r"^\d+$")]], ["1", "a"], "a"),
        (Annotated[dt.datetime, msgspec.Meta(tz=True)], "2026-01-02T03:04:05", "2026"),
        (Annotated[int, msgspec.Meta(multiple_of=5)], 7, "7"),
        (tuple[int, str], [1], "value"),
        (np.int64, "x", "is not an integer"),
        (np.datetime64, "soon", '"soon" is not a date, or a date and a time, as'),
        (np.timedelta64, "90", '"90" is not a duration, as PT90S'),
        (pd.Timestamp, "2026-13", '"2026-13" is not a date, or a date and'),
        (dict[int, int], {"07": 1}, '"07" is not a whole number'),
        (dict[float, int], {"00.5": 1}, '"00.5" is not a number'),
        (dict[tuple[int, int], int], {"1": 1}, '"1" is text, and no key of this type'),
    ],
    ids=str,
)
def test_what_could_not_be_converted_does_not_pass_the_door(
    annotation: Any, value: Any, complaint: str
) -> None:
    with pytest.raises(BadArguments, match=complaint):
        Signature(spec_of(annotation)).check([value], {})


@pytest.mark.parametrize("text", ["2026", "2026-01", "2026-01-31", "2026-01-31T09:30:00"])
@pytest.mark.parametrize("annotation", [pd.Timestamp, np.datetime64])
def test_a_moment_may_be_a_date_or_a_whole_month_as_pandas_takes_it(
    annotation: Any, text: str
) -> None:
    Signature(spec_of(annotation)).check([text], {})
    assert str(convert(text, hint_of(annotation))).replace(" ", "T").startswith(text)


@pytest.mark.parametrize("schema", [{"type": "nonsense"}, {"$ref": "#/nowhere"}])
def test_a_schema_that_is_none_is_left_to_the_worker(schema: dict[str, Any]) -> None:
    assert validator_for({"type": "object", "properties": {"value": schema}}).is_valid({"value": 3})


def test_a_pattern_that_only_python_understands_is_left_to_the_worker() -> None:
    signature = Signature(spec_of(Annotated[str, msgspec.Meta(pattern=r"\Aa\Z")]))
    signature.check(["anything"], {})
    with pytest.raises(BadArguments):
        signature.check([3], {})
