"""What calls need of a machine: names and amounts, as they are written and compared."""

import math
from typing import Any

import pytest

from pooldeck import task
from pooldeck.functions import OPTIONS_ATTRIBUTE, RunOptions
from pooldeck.memory import usable_memory
from pooldeck.needs import are_well_formed, in_words, of_machine, ordered


@pytest.mark.parametrize(
    "wrong",
    [
        {"Gpu": 1},
        {"": 1},
        {"a" * 33: 1},
        {"a-b": 1},
        {1: 1},
        {"gpu": 0},
        {"gpu": True},
        {"gpu": math.inf},
        {"gpu": math.nan},
        {"gpu": "1"},
        {f"n{number}": 1 for number in range(17)},
    ],
)
def test_what_nothing_could_have_is_refused(wrong: dict[Any, Any]) -> None:
    assert not are_well_formed(wrong)
    with pytest.raises(ValueError, match=r"as \{\"gpu\": 1\}"):
        task(needs=wrong)(lambda: None)


def test_equal_needs_are_kept_as_equal_texts() -> None:
    one, other = ({"gpu": 1, "cpus": 2.0}, {"cpus": 2, "gpu": 1.0})
    kept = [RunOptions(needs=ordered(each)).to_json() for each in (one, other)]
    assert kept == ['{"needs":{"cpus":2.0,"gpu":1.0}}'] * 2
    assert RunOptions(needs={}).to_json() is None


def test_a_function_keeps_what_it_needs() -> None:
    @task(needs={"memory_gb": 8, "gpu": 1})
    def train() -> None:
        pass

    assert getattr(train, OPTIONS_ATTRIBUTE).needs == {"gpu": 1.0, "memory_gb": 8.0}


def test_what_is_set_takes_the_place_of_what_is_known() -> None:
    assert of_machine(4, 8 * 1024**3, {"gpu": 1}) == {"cpus": 4.0, "memory_gb": 8.0, "gpu": 1}
    assert of_machine(4, 0, {"cpus": 2})["cpus"] == 2


def test_amounts_are_written_as_they_are_typed() -> None:
    assert in_words({"gpu": 1.0, "memory_gb": 0.5, "rows": 1_000_000.0}) == (
        "gpu=1, memory_gb=0.5, rows=1000000"
    )


def test_a_machine_has_memory() -> None:
    assert usable_memory() > 64 * 1024**2
