"""`Client.map`: order, a bounded window, and what becomes of the rest."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from pooldeck import Client
from tests.functions import client_functions as functions
from tests.support.waiting import eventually


def counted(taken: list[int]) -> Iterator[int]:
    """Yield numbers for ever, noting each that is taken."""
    for number in itertools.count():
        taken.append(number)
        yield number


def test_results_come_in_order_from_any_number_of_iterables(client: Client) -> None:
    assert list(client.map(functions.add, range(3000))) == [2 + each for each in range(3000)]
    assert list(client.map(functions.add, [1, 2, 3], itertools.repeat(10))) == [11, 12, 13]
    assert list(client.map(functions.add, [])) == []


def test_no_more_is_taken_than_the_window_has_room_for(client: Client) -> None:
    taken: list[int] = []
    results = client.map(functions.add, counted(taken), window=5)
    assert len(taken) == 5
    assert [next(results) for _ in range(3)] == [2, 3, 4]
    assert len(taken) == 8
    with pytest.raises(ValueError, match="at least 1"):
        client.map(functions.add, [1], window=0)


def test_leaving_early_cancels_what_has_not_started(client: Client, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    held = client.submit(functions.hold, str(gate))
    eventually(held.running, "the pool is taken")
    results = client.options(tags=["left"]).map(functions.hold, [str(gate)] * 100, timeout=0.5)
    with pytest.raises(TimeoutError):
        next(results)
    eventually(
        lambda: {task["state"] for task in client.tasks(tag="left")} == {"cancelled"},
        "all of them are cancelled",
    )
    gate.touch()
    assert held.result(120) == "open"


def test_the_first_failure_is_raised_in_its_turn(client: Client) -> None:
    kinds, messages = ["ValueError", "KeyError"], ["first", "second"]
    results = client.map(functions.fail, kinds, messages)
    with pytest.raises(ValueError, match="first"):
        next(results)
