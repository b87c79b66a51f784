"""Signatures as data, and JSON values as what annotations ask for."""

import enum
import inspect
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NewType, TypedDict
from uuid import UUID

import jsonschema_rs
import msgspec
import pydantic
import pytest

from pooldeck.functions import FunctionSpec, Options, ParameterKind
from pooldeck.worker.functions.call_signatures import Taken
from pooldeck.worker.functions.conversion import BadArgument, Conversion
from pooldeck.worker.functions.signatures import describe
from pooldeck.worker.values import type_hints

if TYPE_CHECKING:
    from nowhere import Unknown  # type: ignore[import-not-found]  # that is the point


class Colour(enum.Enum):
    RED = "red"


@dataclass
class Address:
    street: str
    since: datetime | None = None


class Point(TypedDict):
    x: int
    y: int


class Inner(pydantic.BaseModel):
    n: int


class Model(pydantic.BaseModel):
    inner: Inner
    name: str = "x"


UserId = NewType("UserId", int)


def types_of(function: Callable[..., Any]) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters.values()
    return {p.name: type_hints.resolve(function, p) for p in parameters}


def spec_of(function: Callable[..., Any]) -> FunctionSpec:
    signature = inspect.signature(function)
    return describe(
        function, signature, types_of(function), Options(), name=function.__name__, module=__name__
    )


def conversion_of(function: Callable[..., Any], sensitive: tuple[str, ...] = ()) -> Conversion:
    return Conversion(Taken(inspect.signature(function)), types_of(function), sensitive)


def schema_of(annotation: Any) -> dict[str, Any]:
    def function(value: Any) -> None:
        del value

    function.__annotations__["value"] = annotation
    return spec_of(function).parameters[0].schema


def test_parameters_keep_kind_requirement_and_default() -> None:
    def function(
        a: int, /, b: str = "x", *rest: float, c: bool, d: Any = object, **more: int
    ) -> None:
        """Take everything."""

    found = [(p.name, p.kind, p.required, p.default) for p in spec_of(function).parameters]
    assert found == [
        ("a", ParameterKind.POSITIONAL_ONLY, True, None),
        ("b", ParameterKind.POSITIONAL_OR_KEYWORD, False, '"x"'),
        ("rest", ParameterKind.VAR_POSITIONAL, False, None),
        ("c", ParameterKind.KEYWORD_ONLY, True, None),
        ("d", ParameterKind.KEYWORD_ONLY, False, None),
        ("more", ParameterKind.VAR_KEYWORD, False, None),
    ]


def test_the_schema_of_a_function_is_an_object_of_its_parameters() -> None:
    def function(a: int, b: str = "x", *rest: float) -> None:
        """Do it.

        Args:
            a: How many,
                counted from one.
            b (str): What to call it.

        Returns:
            nothing: at all.
        """

    assert spec_of(function).schema == {
        "type": "object",
        "properties": {
            "a": {"type": "integer", "description": "How many, counted from one."},
            "b": {"type": "string", "default": "x", "description": "What to call it."},
            "rest": {"type": "array", "items": {"type": "number"}},
        },
        "required": ["a"],
        "additionalProperties": False,
    }


def test_further_keywords_are_described_by_additional_properties() -> None:
    def typed(**more: int) -> None: ...
    def untyped(**more) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN003 - that is the point

    assert spec_of(typed).schema["additionalProperties"] == {"type": "integer"}
    assert spec_of(untyped).schema["additionalProperties"] is True


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (list[str], {"type": "array", "items": {"type": "string"}}),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (date, {"type": "string", "format": "date"}),
        (Path, {"type": "string", "format": "path"}),
        (Literal["a", "b"], {"enum": ["a", "b"]}),
        (Annotated[int, msgspec.Meta(ge=1)], {"type": "integer", "minimum": 1}),
        (UserId, {"type": "integer"}),
        ("list[int]", {"type": "array", "items": {"type": "integer"}}),
        (Any, {}),
        (object, {}),
        (complex, {"type": "string", "format": "complex"}),
        (datetime, {"type": "string", "format": "date-time"}),
        (deque[int], {"type": "array", "items": {"type": "integer"}}),
        (bytes, {"type": "string", "contentEncoding": "base64", "format": "base64"}),
        (
            dict[date, int],
            {
                "type": "object",
                "propertyNames": {"format": "date"},
                "additionalProperties": {"type": "integer"},
            },
        ),
        (Annotated[int, pydantic.Field(ge=1)], {"type": "integer", "minimum": 1}),
        (
            list[Annotated[str, pydantic.Field(max_length=3)]],
            {"type": "array", "items": {"type": "string", "maxLength": 3}},
        ),
        (Iterable[int], {}),
        (Literal[2**70], {}),  # no frame can hold it
    ],
)
def test_annotations_become_json_schema(annotation: Any, schema: dict[str, Any]) -> None:
    assert schema_of(annotation) == schema


def test_one_unknown_annotation_does_not_spoil_the_others() -> None:
    def function(a: "Unknown", b: "datetime", c) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001 - that is the point

    assert types_of(function) == {"a": Any, "b": datetime, "c": Any}


def test_a_parameter_that_defaults_to_none_takes_null() -> None:
    def function(limit: int = None) -> None: ...  # type: ignore[assignment]  # noqa: RUF013 - many write it so

    schema = spec_of(function).schema["properties"]["limit"]
    assert {"type": "null"} in schema["anyOf"]


def test_types_of_the_users_own_are_described_once_and_referred_to() -> None:
    def function(home: Address, work: list[Address], model: Model, colour: Colour) -> None: ...

    schema = spec_of(function).schema
    assert set(schema["$defs"]) == {"Address", "Colour", "Inner"}
    accepts = jsonschema_rs.validator_for(schema).is_valid
    good = {
        "home": {"street": "a", "since": None},
        "work": [{"street": "b"}],
        "model": {"inner": {"n": 1}},
        "colour": "red",
    }
    assert accepts(good)
    wrong: dict[str, Any] = {"home": {}, "work": [3], "model": {"inner": {}}, "colour": "green"}
    for name, value in wrong.items():
        assert not accepts(good | {name: value})


def test_a_default_that_is_no_json_is_left_out() -> None:
    def function(a: Any = object(), b: int = 2**70, c: Colour = Colour.RED) -> None: ...  # noqa: B008

    properties = spec_of(function).schema["properties"]
    assert "default" not in properties["a"]
    assert "default" not in properties["b"]
    assert properties["c"]["default"] == "red"


def test_plain_json_types_need_no_conversion() -> None:
    def function(  # noqa: PLR0917 - one of each kind
        a: int,
        b: float | None,
        c: list[dict[str, int]],
        d: Any,
        e: Literal[1, "x"],
        f: Annotated[str, "text"],
        g: dict,  # type: ignore[type-arg]  # bare, as many write it
        *rest: list,  # type: ignore[type-arg]  # bare, as many write it
    ) -> None: ...

    assert not conversion_of(function).needed


@pytest.mark.parametrize(
    ("annotation", "value", "converted"),
    [
        (datetime, "2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (timedelta, "PT90S", timedelta(seconds=90)),
        (Colour, "red", Colour.RED),
        (Address, {"street": "a"}, Address("a")),
        (Point, {"x": 1, "y": 2}, Point(x=1, y=2)),
        (Model, {"inner": {"n": 1}}, Model(inner=Inner(n=1))),
        (list[Model], [{"inner": {"n": 1}}], [Model(inner=Inner(n=1))]),
        (Path, "a/b", Path("a/b")),
        (Decimal, "1.10", Decimal("1.10")),
        (UUID, "12345678123456781234567812345678", UUID("12345678123456781234567812345678")),
        (set[int], [1, 2, 2], {1, 2}),
        (tuple[int, str], [1, "a"], (1, "a")),
        (dict[int, str], {"1": "a"}, {1: "a"}),
        (bytes, "aGVsbG8=", b"hello"),
        (Path | None, None, None),
    ],
)
def test_richer_types_are_made_from_json(annotation: Any, value: Any, converted: Any) -> None:
    def function(value: Any, **more: Any) -> None: ...

    function.__annotations__ = {"value": annotation, "more": annotation}
    convert = conversion_of(function)
    assert convert.needed
    assert convert([value], {}) == ([converted], {})
    assert convert([], {"value": value, "other": value}) == (
        [],
        {"value": converted, "other": converted},
    )


def test_each_further_argument_is_converted() -> None:
    def function(first: int, *rest: Path) -> None: ...

    args, _ = conversion_of(function)([1, "a", "b"], {})
    assert args == [1, Path("a"), Path("b")]


@pytest.mark.parametrize(
    ("annotation", "value"),
    [(datetime, "yesterday"), (Model, {"inner": 1}), (Address, {}), (Path, 3), (set[int], ["a"])],
)
def test_a_value_that_does_not_fit_names_its_parameter(annotation: Any, value: Any) -> None:
    def function(when: Any) -> None: ...

    function.__annotations__["when"] = annotation
    with pytest.raises(BadArgument, match=r"^when: "):
        conversion_of(function)([value], {})


def test_a_sensitive_value_is_not_repeated_in_the_complaint() -> None:
    def function(card: Model, **more: Model) -> None: ...

    convert = conversion_of(function, sensitive=("card", "pin"))
    for kwargs in ({"card": "4711"}, {"pin": "4711"}):
        with pytest.raises(BadArgument) as caught:
            convert([], kwargs)
        assert "4711" not in str(caught.value)
