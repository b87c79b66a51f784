"""What a function returned, as text that is bounded whatever it is."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from pooldeck.worker.values import returned
from pooldeck.worker.values.returned import described


class Failing:
    def __repr__(self) -> str:
        raise SystemExit


class Waiting:
    def __init__(self, gate: threading.Event) -> None:
        self.gate = gate

    def __repr__(self) -> str:
        self.gate.wait()
        return "at last"


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


def test_a_value_is_headed_by_its_type_and_length() -> None:
    assert described([1, {"a": 2}]) == "list of 2: [1, {'a': 2}]"
    assert described({1, 2}) == "set of 2: {1, 2}"
    assert described(5) == "int: 5"


@pytest.mark.parametrize(
    "make",
    [
        lambda: ["é" * 10_000] * 10_000,
        lambda: {number: [number] * 1000 for number in range(1000)},
        lambda: "x" * 10_000_000,
        lambda: 10**4000,
        lambda: nested(100_000),
        lambda: "\ud800" * 10_000,
    ],
)
def test_it_is_short_whatever_the_value_is(make: Callable[[], Any]) -> None:
    assert len(described(make()).encode()) < 4200


def test_a_repr_that_fails_is_named() -> None:
    assert described(Failing()).endswith("Failing: (its __repr__ raised SystemExit)")


def test_a_repr_that_takes_long_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(returned, "_PATIENCE", 0.05)
    gate = threading.Event()
    assert described([Waiting(gate)]) == "list of 1: (its __repr__ takes long)"
    gate.set()
