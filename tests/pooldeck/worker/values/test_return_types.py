"""A result that contradicts its annotation is said, and nothing is said of one that fits."""

import enum
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, NewType, Protocol, TypedDict, TypeVar

import numpy as np
import pandas as pd
import pytest

from pooldeck.worker.values.return_types import return_type
from tests.support.driven import DrivenWorker

T = TypeVar("T")
UserId = NewType("UserId", int)


class Colour(enum.StrEnum):
    RED = "red"


class Point(TypedDict):
    x: int


class Sized(Protocol):
    size: int


@dataclass
class Address:
    street: str


def complaint(annotation: Any, value: Any) -> str | None:
    def function() -> None: ...

    function.__annotations__["return"] = annotation
    known = return_type(function, inspect.signature(function))
    return known.complaint(value) if known else None


@pytest.mark.parametrize(
    ("annotation", "value", "said"),
    [
        (str, 5, "the function returned int, and its annotation says str"),
        ("list[str]", 5, "the function returned int, and its annotation says list[str]"),
        (int | None, "5", "the function returned str, and its annotation says int | None"),
        (None, {"a": 1}, "the function returned dict, and its annotation says None"),
        (dict[str, int], [1], "the function returned list, and its annotation says dict[str, int]"),
        (UserId, "5", "the function returned str, and its annotation says"),
        (Literal["a"], 5, "the function returned int"),
        (Annotated[int, "a note"], "5", "the function returned str"),
        (datetime, date(2026, 1, 2), "the function returned datetime.date"),
        (Address, {"street": "a"}, "the function returned dict"),
        (Point, [1], "the function returned list"),
        (pd.DataFrame, [{}], "the function returned list"),
    ],
)
def test_what_contradicts_its_annotation_is_said(annotation: Any, value: Any, said: str) -> None:
    assert (complaint(annotation, value) or "").startswith(said)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (int, True),
        (int, np.int64(3)),
        (float, 3),
        (float, np.float32(0.5)),
        (bool, np.bool_(True)),
        (str, Colour.RED),
        (None, None),
        (int | None, None),
        (list[int], ["not looked into"]),
        (Sequence[int], (1,)),
        (Mapping[str, int], {}),
        (Point, {"x": 1}),
        (UserId, 5),
        (Literal["a", 1], 1),
        (bytes, bytearray(b"a")),
    ],
)
def test_of_what_fits_nothing_is_said(annotation: Any, value: Any) -> None:
    assert complaint(annotation, value) is None


@pytest.mark.parametrize(
    "annotation",
    [Any, object, T, Sized, "Unknown", Awaitable[int], Callable[..., Any] | T, int | T],
)
def test_an_annotation_that_leaves_it_open_fits_everything(annotation: Any) -> None:
    assert complaint(annotation, "text") is None


def test_the_good_end_of_a_program_contradicts_no_annotation(tmp_path: Path) -> None:
    source = """
        @task
        def main(code: object) -> int:
            sys.exit(code)
    """
    with DrivenWorker(tmp_path, source) as worker:
        report = worker.run("main", 0)
    assert (report.result, report.said) == (None, [])
